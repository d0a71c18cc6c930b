"""A logging file on its way to a worker: that of the job's configuration directory, else that of its TaskManager."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from penstock.errors import OptionError
from penstock.logs.levels import level_of
from penstock.logs.plan import FileAppender, Layout, LoggerPlan, LoggingPlan
from penstock.logs.roles import DEFAULT_PATTERN, Role, configure_by_yaml, find_logging_file


@dataclass(frozen=True, slots=True)
class ShippedLogging:
    """``text`` is that of the file ``name``, with ``variables`` in it; without a name, records go to ``${log.file}``."""

    name: str = ""
    text: str = ""
    variables: dict[str, str] = field(default_factory=dict)


def shipped_logging(conf_dir: str | os.PathLike[str] | None) -> ShippedLogging | None:
    """What a configuration directory says of the logging of workers; None where it has no file for them.

    :raises OptionError: where the file cannot be read.
    """
    path = find_logging_file(conf_dir, Role.TASKMANAGER)
    if path is None:
        return None
    try:
        return ShippedLogging(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"the logging file {path} cannot be read: {error}") from error


def at_taskmanager(of_job: ShippedLogging | None, own: ShippedLogging) -> ShippedLogging:
    """What a worker obeys: its job's file, else the TaskManager's ``own``, with the variables of the TaskManager."""
    return own if of_job is None else replace(of_job, variables=own.variables)


def configure_worker(shipped: ShippedLogging) -> None:
    """Configure the logging of this worker.

    Its TaskManager's log has many writers, so here files are appended to, and none is rotated.

    :raises PenstockError: for a file that cannot be understood, or a log that cannot be written.
    """
    if Path(shipped.name).suffix in (".yaml", ".yml"):
        configure_by_yaml(shipped.text, shipped.variables, Path(shipped.name), rotates=False)
        return
    from penstock.logs.applying import apply
    from penstock.logs.log4j import read_log4j

    plan = (
        read_log4j(shipped.text, shipped.variables, shipped.name)
        if shipped.name
        else _default(shipped.variables)
    )
    appenders = {
        name: replace(appender, append=True, max_bytes=0, rolls="")
        if isinstance(appender, FileAppender)
        else appender
        for name, appender in plan.appenders.items()
    }
    apply(LoggingPlan(appenders, plan.loggers))


def _default(variables: Mapping[str, str]) -> LoggingPlan:
    if not variables.get("log.file"):
        return LoggingPlan()
    level = level_of(os.environ.get("ROOT_LOG_LEVEL") or variables.get("env.log.level") or "INFO")
    file = FileAppender(Layout(DEFAULT_PATTERN), variables["log.file"])
    return LoggingPlan({"file": file}, {"": LoggerPlan(level, ("file",))})
