"""The commands and their options, with Flink's flags."""

from collections.abc import Callable
from copy import copy
from typing import Any, NoReturn

import click

from penstock import __version__
from penstock.cli import cluster_commands, job_commands, log_commands
from penstock.cli.client_logging import configure_client
from penstock.cli.cluster_commands import passed_on
from penstock.cli.cluster_settings import cluster_settings
from penstock.cli.command_lines import CommandGroup, ProgramCommand
from penstock.cli.program import Program, choose_program
from penstock.cli.savepoint_commands import savepoint_group
from penstock.cli.settings import Settings, gather_settings
from penstock.logs.roles import Role

_CLAIM_MODES = click.Choice(["CLAIM", "NO_CLAIM", "LEGACY"], case_sensitive=False)
Task = Callable[[], int]
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_SLOTS = "taskmanager.numberOfTaskSlots"
_LOCAL_ONLY = "a cluster is named by the address of its JobManager: -m HOST:PORT"
_ONE_INTERPRETER = (
    "a program and its functions run in the interpreter that runs penstock: PYTHON -m penstock run ..."
)

# Flags of Flink that would promise something, and why they cannot here: (names, takes a value, the reason).
_REFUSED = (
    (("-z", "--zookeeperNamespace"), True, _LOCAL_ONLY),
    (("-C", "--classpath"), True, "there is no Java here, and so no class path"),
    (("-pyexec", "--pyExecutable"), True, _ONE_INTERPRETER),
    (("-pyclientexec", "--pyClientExecutable"), True, _ONE_INTERPRETER),
)


_RESTORE_OPTIONS: tuple[Decorator, ...] = (
    click.option("-rm", "--restoreMode", "restore_mode", hidden=True, type=_CLAIM_MODES),
    click.option(
        "-cm",
        "--claimMode",
        "claim_mode",
        type=_CLAIM_MODES,
        help="Who owns the files of -s: CLAIM lets the job delete them.  [default: NO_CLAIM]",
    ),
    click.option("-claim", "claim_mode", flag_value="CLAIM", hidden=True),
    click.option("-no_claim", "claim_mode", flag_value="NO_CLAIM", hidden=True),
    click.option(
        "-n",
        "--allowNonRestoredState",
        "allow_non_restored",
        is_flag=True,
        help="Leave behind state of operators that the program does not have.",
    ),
    click.option(
        "-s",
        "--fromSavepoint",
        "savepoint",
        metavar="PATH",
        help="Start from a savepoint or a retained checkpoint.",
    ),
)


_CLUSTER_OPTIONS: tuple[Decorator, ...] = (
    click.option(
        "-sae",
        "--shutdownOnAttachedExit",
        "shutdown",
        is_flag=True,
        help="On a cluster: cancel the jobs when this command is interrupted, or dies.",
    ),
    click.option(
        "-m",
        "--jobmanager",
        "address",
        metavar="HOST:PORT",
        help="Run on the cluster whose REST API is there (sets the target to remote).",
    ),
)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", prog_name="penstock", message="%(prog)s %(version)s")
def penstock() -> None:
    """Apache Flink's model of stream and batch processing, in Python."""


def _program_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command takes that runs a program."""
    for names, takes_value, reason in _REFUSED:
        command = _refused(names, takes_value, reason)(command)
    options: tuple[Decorator, ...] = (
        click.argument("arguments", nargs=-1, type=click.UNPROCESSED, shell_complete=_complete_files),
        click.option("-v", "--verbose", is_flag=True, help="Say more; show whole tracebacks."),
        click.option("--pyflink", is_flag=True, help="Let `import pyflink` give penstock."),
        click.option(
            "-pyreq",
            "--pyRequirements",
            "requirements",
            metavar="FILE",
            help="Packages that a cluster installs.",
        ),
        click.option(
            "-pyarch",
            "--pyArchives",
            "archives",
            metavar="FILES",
            help="Archives that functions find unpacked; on a cluster.",
        ),
        click.option(
            "-pypath", "--pyPythonPath", "python_path", metavar="PATH", help="Directories to import from."
        ),
        click.option(
            "-pyfs", "--pyFiles", "files", metavar="FILES", help="Files and directories to import from."
        ),
        click.option(
            "--conf-dir",
            metavar="DIR",
            envvar="PENSTOCK_CONF_DIR",
            help="Where config.yaml or flink-conf.yaml is.  [env: PENSTOCK_CONF_DIR]",
        ),
        *_RESTORE_OPTIONS,
        *_CLUSTER_OPTIONS,
        click.option("-t", "--target", metavar="NAME", help="The executor: local, or one that is installed."),
        click.option(
            "-D", "properties", metavar="KEY=VALUE", multiple=True, help="Set an option; may be repeated."
        ),
        click.option("-p", "--parallelism", type=click.IntRange(min=1), help="Subtasks of each operator."),
        click.option(
            "-c", "--class", "entry", metavar="MODULE:FUNCTION", help="Call a function of a module."
        ),
        click.option(
            "-pym", "--pyModule", "module", metavar="MODULE", help="Run a module, as `python -m` does."
        ),
        click.option("-py", "--python", "file", type=click.Path(), metavar="FILE", help="Run a Python file."),
    )
    for option in options:
        command = option(command)
    return command


def _refused(names: tuple[str, ...], takes_value: bool, reason: str) -> Decorator:
    def refuse(context: click.Context, option: click.Parameter, value: Any) -> None:
        if value:
            raise click.UsageError(f"{'/'.join(names)} is not in this version: {reason}", context)

    name = names[-1].lstrip("-")
    return click.option(
        *names, name, is_flag=not takes_value, hidden=True, expose_value=False, callback=refuse
    )


def _complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


@penstock.command(cls=ProgramCommand)
@_program_options
@click.option("-d", "--detached", is_flag=True, help="Do not wait for the jobs; only on a cluster.")
def run(detached: bool, **given: Any) -> Task:
    """Run a program and wait for its jobs.

    What stands behind the program is the program's: `penstock run -p 4 shop.py --day monday`.
    """
    program, settings = _understand(given)
    is_local = settings.configuration.get_string("execution.target", "local") == "local"
    if is_local and settings.configuration.get_string("python.archives", None):
        raise click.UsageError(
            "-pyarch is for clusters (-m HOST:PORT): here functions run in the working directory of the program; unpack the "
            "archives there"
        )
    if detached and is_local:
        raise click.UsageError(
            "-d is for clusters (-m HOST:PORT): here jobs end with the process that runs them; let the shell run it in the "
            "background"
        )

    if detached and given["shutdown"]:
        raise click.UsageError("-sae is for a command that waits for its jobs: leave out -d")

    if not is_local:
        configure_client(Role.CLI, cluster_settings(given["conf_dir"], given["properties"]))

    def task() -> int:
        from penstock.cli.running import run_program

        if not is_local:
            from penstock.deploy.local.lifeline import die_with_parent_if_told

            die_with_parent_if_told()
        return run_program(program, settings, detached)

    return task


@penstock.command("run-application", cls=ProgramCommand)
@_program_options
@click.option(
    "--taskmanagers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="TaskManagers of its cluster.",
)
@click.option(
    "--slots", type=click.IntRange(min=1), help="Slots of each.  [default: what the first job needs]"
)
def run_application(taskmanagers: int, slots: int | None, **given: Any) -> Task:
    """Run a program on a cluster of its own.

    The cluster ends with the program. Its processes are on this machine; what dies of them is started again.
    """
    if given["address"] or given["target"]:
        raise click.UsageError("run-application starts a cluster of its own: leave out -m and -t")
    program, settings = _understand(given, on_cluster=True)
    properties = given["properties"]
    cluster = cluster_settings(given["conf_dir"], properties)
    if slots is None and any(text.partition("=")[0].strip() == _SLOTS for text in properties):
        slots = cluster.number(_SLOTS)
    cluster.check_taskmanagers(taskmanagers)

    def task() -> int:
        from penstock.cli.applications import Application, run_application

        told = passed_on(None if cluster.conf_dir is None else str(cluster.conf_dir), properties)
        return run_application(Application(program, settings, taskmanagers, slots, tuple(told)), cluster)

    return task


@penstock.command(cls=ProgramCommand)
@_program_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "dot"]),
    default="text",
    show_default=True,
    help="For people, for Flink's plan visualizer, or for Graphviz.",
)
def info(form: str, **given: Any) -> Task:
    """Show the plans of a program's jobs without running them."""
    program, settings = _understand(given)

    def task() -> int:
        from penstock.cli.explaining import explain_program

        return explain_program(program, settings, form)

    return task


@penstock.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options.

    For bash: `eval "$(penstock completion bash)"`.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        _unknown_shell(shell)
    click.echo(kind(penstock, {}, "penstock", "_PENSTOCK_COMPLETE").source())


def _unknown_shell(shell: str) -> NoReturn:
    raise click.UsageError(f"this version of click completes nothing in {shell}")


def _understand(given: dict[str, Any], on_cluster: bool = False) -> tuple[Program, Settings]:
    program = choose_program(given["file"], given["module"], given["entry"], given["arguments"])
    return program, gather_settings(given, on_cluster)


penstock.add_command(savepoint_group(_program_options, job_commands.savepoint))
for _command in (*cluster_commands.COMMANDS, *job_commands.COMMANDS, *log_commands.COMMANDS):
    penstock.add_command(_command)
_of_flink = copy(cluster_commands.history_server)  # by Flink's name
_of_flink.hidden = True
penstock.add_command(_of_flink, "historyserver")
