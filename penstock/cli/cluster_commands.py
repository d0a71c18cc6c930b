"""Commands that start and stop the processes of a cluster."""

from collections.abc import Callable
from typing import Any

import click

from penstock.cli.cluster_settings import ClusterSettings, cluster_settings
from penstock.cli.command_lines import usage_error

Command = Callable[..., Any]


def _cluster_options(command: Command) -> Command:
    for option in (
        click.option(
            "-D", "properties", metavar="KEY=VALUE", multiple=True, help="Set an option; may be repeated."
        ),
        click.option(
            "--conf-dir",
            metavar="DIR",
            envvar="PENSTOCK_CONF_DIR",
            help="Where config.yaml is.  [env: PENSTOCK_CONF_DIR]",
        ),
    ):
        command = option(command)
    return command


def _carrier_options(command: Command) -> Command:
    command = click.option(
        "--address", metavar="ADDRESS", help="The Ray cluster: auto, or HOST:PORT.  [default: auto]"
    )(command)
    return click.option(
        "--on",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="What carries it.",
    )(command)


def _is_on_ray(carrier: dict[str, str | None]) -> bool:
    if carrier["on"] == "ray":
        return True
    if carrier["address"] is not None:
        usage_error("--address names a Ray cluster: give --on ray, too")
    return False


def passed_on(conf_dir: str | None, properties: tuple[str, ...]) -> list[str]:
    """The same options for the processes of the cluster."""
    arguments = [word for text in properties for word in ("-D", text)]
    return [*arguments, *(["--conf-dir", conf_dir] if conf_dir else [])]


@click.command("start-cluster")
@click.option(
    "-n", "taskmanagers", type=click.IntRange(min=0), default=1, show_default=True, help="TaskManagers."
)
@click.option("-s", "slots", type=click.IntRange(min=1), help="Slots of each.  [default: 1]")
@_carrier_options
@click.option("-pyfs", "--pyFiles", "files", metavar="FILES", help="On Ray: modules for all nodes.")
@click.option("-pyreq", "--pyRequirements", "requirements", metavar="FILE", help="On Ray: what to install.")
@click.option("-pyarch", "--pyArchives", "archives", metavar="FILES", help="On Ray: archives to unpack.")
@_cluster_options
def start_cluster(
    taskmanagers: int,
    slots: int | None,
    conf_dir: str | None,
    properties: tuple[str, ...],
    **carrier: str | None,
) -> Callable[[], int]:
    """Start a JobManager and TaskManagers.

    They are on this machine, or on Ray; the command waits until they are ready.
    """
    if slots is not None:
        properties = (*properties, f"taskmanager.numberOfTaskSlots={slots}")
    settings = cluster_settings(conf_dir, properties)
    shipped = [carrier.pop(name) for name in ("files", "requirements", "archives")]
    if not _is_on_ray(carrier) and any(shipped):
        usage_error(
            "-pyfs, -pyreq and -pyarch are for clusters on Ray (--on ray); a local one has this interpreter"
        )

    settings.check_taskmanagers(taskmanagers)

    def task() -> int:
        if _is_on_ray(carrier):
            from penstock.cli.ray_clusters import Shipping, start_ray_cluster

            return start_ray_cluster(settings, taskmanagers, carrier["address"] or "auto", Shipping(*shipped))
        from penstock.cli.clusters import start_local_cluster

        return start_local_cluster(settings, taskmanagers, passed_on(conf_dir, properties))

    return task


@click.command("stop-cluster")
@_carrier_options
@_cluster_options
def stop_cluster(
    conf_dir: str | None, properties: tuple[str, ...], **carrier: str | None
) -> Callable[[], int]:
    """Stop the JobManager and all TaskManagers."""
    settings = cluster_settings(conf_dir, properties)

    def task() -> int:
        if _is_on_ray(carrier):
            from penstock.cli.ray_clusters import stop_ray_cluster

            return stop_ray_cluster(settings, carrier["address"] or "auto")
        from penstock.cli.clusters import stop_local_cluster

        return stop_local_cluster(settings)

    return task


@click.command()
@click.argument("action", type=click.Choice(["start", "stop", "start-foreground"]))
@_cluster_options
def jobmanager(action: str, conf_dir: str | None, properties: tuple[str, ...]) -> Callable[[], int]:
    """Start or stop a JobManager."""
    return _of_role(
        "jobmanager", action, cluster_settings(conf_dir, properties), passed_on(conf_dir, properties)
    )


@click.command()
@click.argument("action", type=click.Choice(["start", "stop", "stop-all", "start-foreground"]))
@_cluster_options
def taskmanager(action: str, conf_dir: str | None, properties: tuple[str, ...]) -> Callable[[], int]:
    """Start a TaskManager, or stop one or all.

    The one that is stopped is the last that was started.
    """
    return _of_role(
        "taskmanager", action, cluster_settings(conf_dir, properties), passed_on(conf_dir, properties)
    )


@click.command("history-server")
@click.argument("action", type=click.Choice(["start", "stop", "start-foreground"]))
@_cluster_options
def history_server(action: str, conf_dir: str | None, properties: tuple[str, ...]) -> Callable[[], int]:
    """Start or stop a server that shows jobs from archives."""
    return _of_role(
        "history-server", action, cluster_settings(conf_dir, properties), passed_on(conf_dir, properties)
    )


def _of_role(role: str, action: str, settings: ClusterSettings, arguments: list[str]) -> Callable[[], int]:
    def task() -> int:
        from penstock.cli.clusters import act

        return act(role, action, settings, arguments)

    return task


COMMANDS = (start_cluster, stop_cluster, jobmanager, taskmanager, history_server)
