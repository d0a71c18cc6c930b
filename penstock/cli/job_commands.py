"""Commands that talk to the jobs of a cluster, with Flink's words."""

import json as json_module
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from penstock.cli.carrying_out import FAILED, report
from penstock.cli.client_logging import configure_client
from penstock.cli.cluster_settings import cluster_settings
from penstock.deploy.remote.client import ClusterClient
from penstock.errors import PenstockError
from penstock.logs.roles import Role

Command = Callable[..., Any]
Task = Callable[[], int]


def client_options(command: Command) -> Command:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For scripts."),
        click.option(
            "-D", "properties", metavar="KEY=VALUE", multiple=True, help="Set an option; may be repeated."
        ),
        click.option("-m", "--jobmanager", "address", metavar="HOST:PORT", help="Where the REST API is."),
        click.option("--conf-dir", metavar="DIR", envvar="PENSTOCK_CONF_DIR", help="Where config.yaml is."),
    ):
        command = option(command)
    return command


def _savepoint_options(command: Command) -> Command:
    """What every command takes that takes a savepoint without ending at once."""
    command = click.option(
        "-type",
        "--type",
        "form",
        type=click.Choice(["canonical", "native"], case_sensitive=False),
        default="canonical",
        callback=_known_form,
        help="The form of the savepoint: canonical, which every state backend reads.",
    )(command)
    return click.option(
        "-detached", "--detached", "detached", is_flag=True, help="Print the trigger id, and do not wait."
    )(command)


def _known_form(context: click.Context, option: click.Parameter, value: str) -> str:
    if value == "native":
        raise click.UsageError(
            "-type native is not in this version: a savepoint is canonical, and every state backend reads it",
            context,
        )
    return value.upper()


def client_for(given: dict[str, Any]) -> ClusterClient:
    from penstock.cli.clusters import client_of

    flags: dict[str, str | None] = {}
    if given["address"]:
        host, colon, port = given["address"].rpartition(":")
        if not colon or not port.isdigit() or not host:
            raise click.UsageError(f"-m takes HOST:PORT, not {given['address']!r}")
        flags = {"rest.address": host, "rest.port": port}
    settings = cluster_settings(given["conf_dir"], given["properties"], **flags)
    configure_client(Role.CLI, settings)
    return ClusterClient.of(settings.options) if given["address"] else client_of(settings)


def carefully(work: Callable[[], None]) -> Task:
    def task() -> int:
        try:
            work()
        except PenstockError as error:
            report(str(error))
            return FAILED
        return 0

    return task


@click.command("list")
@click.option("-r", "--running", is_flag=True, help="Only running jobs.")
@click.option("-s", "--scheduled", is_flag=True, help="Only jobs that wait to run.")
@click.option("-a", "--all", "everything", is_flag=True, help="Also jobs that have ended.")
@client_options
def list_jobs(running: bool, scheduled: bool, everything: bool, **given: Any) -> Task:
    """List the jobs of a cluster."""
    client = client_for(given)

    def work() -> None:
        if not given["as_json"]:
            click.echo("Waiting for response...")
        jobs = sorted(client.get("/v1/jobs/overview")["jobs"], key=lambda job: int(job["start-time"]))
        flags = {"running": running, "scheduled": scheduled, "terminated": everything}
        if everything or not any(flags.values()):
            flags |= {"running": True, "scheduled": True}
        groups = {
            name: [job for job in jobs if _GROUPS.get(job["state"], "running") == name]
            for name, wanted in flags.items()
            if wanted
        }
        if given["as_json"]:
            click.echo(json_module.dumps([job for group in groups.values() for job in group], indent=2))
            return
        for name, group in groups.items():
            _show(name, group)

    return carefully(work)


_GROUPS = {
    **dict.fromkeys(("CREATED", "INITIALIZING"), "scheduled"),
    **dict.fromkeys(("FINISHED", "FAILED", "CANCELED"), "terminated"),
}
_HEADS = {
    "running": "------------------ Running/Restarting Jobs -------------------",
    "scheduled": "----------------------- Scheduled Jobs -----------------------",
    "terminated": "---------------------- Terminated Jobs -----------------------",
}


def _show(name: str, jobs: list[dict[str, Any]]) -> None:
    if not jobs:
        click.echo(f"No {name} jobs.")
        return
    click.echo(_HEADS[name])
    for job in jobs:
        start = (
            datetime.fromtimestamp(job["start-time"] / 1000, UTC).astimezone().strftime("%d.%m.%Y %H:%M:%S")
        )
        click.echo(f"{start} : {job['jid']} : {job['name']} ({job['state']})")
    click.echo("--------------------------------------------------------------")


@click.command()
@click.option(
    "-s",
    "--withSavepoint",
    "with_savepoint",
    is_flag=True,
    help="Take a savepoint first; its directory may follow.",
)
@click.argument("words", nargs=-1, required=True, metavar="[DIRECTORY] JOB")
@client_options
def cancel(with_savepoint: bool, words: tuple[str, ...], **given: Any) -> Task:
    """Cancel a job, with -s after a savepoint.

    Where the savepoint goes may stand before the id of the job.
    """
    if len(words) > (2 if with_savepoint else 1):
        raise click.UsageError("cancel takes the id of one job")
    client, job = client_for(given), words[-1]
    directory = words[0] if len(words) == 2 else None

    say = _Said(given["as_json"])

    def work() -> None:
        if not with_savepoint:
            say(f"Cancelling job {job}.")
            client.ask("PATCH", f"/v1/jobs/{job}?mode=cancel")
            say(f"Cancelled job {job}.")
            say.result(job=job)
            return
        where = f"to {directory}" if directory else "to default savepoint directory"
        say(f"Cancelling job {job} with CANONICAL savepoint {where}.")
        body = {"target-directory": directory, "cancel-job": True}
        trigger = client.ask("POST", f"/v1/jobs/{job}/savepoints", body)["request-id"]
        path = client.wait_for(f"/v1/jobs/{job}/savepoints/{trigger}")
        say(f"Cancelled job {job}. Savepoint stored in {path}.")
        say.result(job=job, savepoint=path)

    return carefully(work)


@click.command()
@click.option("-d", "--drain", is_flag=True, help="Let all event-time timers fire before.")
@click.option("-p", "--savepointPath", "directory", metavar="DIR", help="Where the savepoint goes.")
@click.argument("job")
@_savepoint_options
@client_options
def stop(drain: bool, directory: str | None, job: str, **given: Any) -> Task:
    """Stop a job with a savepoint."""
    client, say = client_for(given), _Said(given["as_json"])

    def work() -> None:
        say(f'{"Draining" if drain else "Suspending"} job "{job}" with a {given["form"]} savepoint.')
        how = " in detached mode" if given["detached"] else ""
        say(f"Triggering stop-with-savepoint{how} for job {job}.")
        body = {"targetDirectory": directory, "drain": drain, "formatType": given["form"]}
        trigger = client.ask("POST", f"/v1/jobs/{job}/stop", body)["request-id"]
        if given["detached"]:
            say(f"Successfully trigger stop-with-savepoint in detached mode, triggerId: {trigger}")
            say.result(job=job, trigger=trigger)
            return
        say("Waiting for response...")
        path = client.wait_for(f"/v1/jobs/{job}/savepoints/{trigger}")
        say(f"Savepoint completed. Path: {path}")
        say.result(job=job, savepoint=path)

    return carefully(work)


@click.command()
@click.option("-p", "--parallelism", type=click.IntRange(min=1), required=True, help="The new parallelism.")
@click.argument("job")
@client_options
def rescale(parallelism: int, job: str, **given: Any) -> Task:
    """Have a job go on at another parallelism.

    It goes on from its latest checkpoint.
    """
    client, say = client_for(given), _Said(given["as_json"])

    def work() -> None:
        say(f"Rescaling job {job} to parallelism {parallelism}.")
        answer = client.ask("PATCH", f"/v1/jobs/{job}/rescaling?parallelism={parallelism}")
        client.wait_for(f"/v1/jobs/{job}/rescaling/{answer['request-id']}")
        say(f"Rescaled job {job}. Its new parallelism is {parallelism}.")
        say.result(job=job, parallelism=parallelism)

    return carefully(work)


@click.command("of-job", hidden=True)
@click.option("-d", "--dispose", "disposed", metavar="PATH", help="Delete a savepoint.")
@click.argument("job", required=False)
@click.argument("directory", required=False)
@_savepoint_options
@client_options
def savepoint(disposed: str | None, job: str | None, directory: str | None, **given: Any) -> Task:
    """Take a savepoint of a job, or delete one with -d."""
    if (job is None) == (disposed is None):
        raise click.UsageError("savepoint takes the id of a job, or -d PATH")
    client, say = client_for(given), _Said(given["as_json"])

    def work() -> None:
        if disposed is not None:
            say(f"Disposing savepoint '{disposed}'.")
            say("Waiting for response...")
            answer = client.ask("POST", "/v1/savepoint-disposal", {"savepoint-path": disposed})
            client.wait_for(f"/v1/savepoint-disposal/{answer['request-id']}")
            say(f"Savepoint '{disposed}' disposed.")
            say.result(disposed=disposed)
            return
        how = " in detached mode" if given["detached"] else ""
        say(f"Triggering savepoint{how} for job {job}.")
        body = {"target-directory": directory, "cancel-job": False, "formatType": given["form"]}
        trigger = client.ask("POST", f"/v1/jobs/{job}/savepoints", body)["request-id"]
        if given["detached"]:
            say(f"Successfully trigger manual savepoint, triggerId: {trigger}")
            say.result(job=job, trigger=trigger)
            return
        say("Waiting for response...")
        path = client.wait_for(f"/v1/jobs/{job}/savepoints/{trigger}")
        say(f"Savepoint completed. Path: {path}")
        say("You can resume your program from this savepoint with the run command.")
        say.result(job=job, savepoint=path)

    return carefully(work)


@click.command()
@click.option(
    "-full", "--full", "is_full", is_flag=True, help="Take a full one; here every one can be restored alone."
)
@click.argument("job")
@client_options
def checkpoint(is_full: bool, job: str, **given: Any) -> Task:
    """Take a checkpoint of a job now."""
    client, say = client_for(given), _Said(given["as_json"])

    def work() -> None:
        say(f"Triggering checkpoint for job {job}.")
        say("Waiting for response...")
        kind = "FULL" if is_full else "CONFIGURED"
        answer = client.ask("POST", f"/v1/jobs/{job}/checkpoints", {"checkpointType": kind})
        path = f"/v1/jobs/{job}/checkpoints/{answer['request-id']}"
        number = client.wait_for(path, success="checkpointId")
        say(f"Checkpoint {number} for job {job} completed.")
        where = client.get(f"/v1/jobs/{job}/checkpoints/details/{number}")["external_path"]
        if where is None:
            say(
                "It is in the JobManager's memory; one to start from later needs execution.checkpointing.dir."
            )
        else:
            say("You can resume your program from this checkpoint with the run command.")
        say.result(job=job, checkpoint=number, path=where)

    return carefully(work)


class _Said:
    """What a command says: lines for people as they come, or one document for scripts at the end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def __call__(self, line: str) -> None:
        if not self._as_json:
            click.echo(line)

    def result(self, **fields: Any) -> None:
        """What came of it."""
        if self._as_json:
            click.echo(json_module.dumps(fields))


COMMANDS = (list_jobs, cancel, stop, checkpoint, rescale)
