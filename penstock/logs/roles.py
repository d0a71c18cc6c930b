"""Which logging file a process obeys, and where its log goes: files by role, as in a Flink installation's ``conf/``.

==========================  ===========================================================================
role                        files, in the order in which they are looked for
==========================  ===========================================================================
jobmanager, taskmanager     ``logging.yaml``, ``log4j.properties``
cli (talks to a cluster)    ``logging-cli.yaml``, ``log4j-cli.properties``
session (puts one on Ray)   ``logging-session.yaml``, ``log4j-session.properties``
console (foreground)        ``logging-console.yaml``, ``log4j-console.properties``
==========================  ===========================================================================
"""

import logging
import os
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from penstock.errors import OptionError
from penstock.logs.levels import level_of
from penstock.logs.log4j import read_log4j
from penstock.logs.plan import ConsoleAppender, FileAppender, Layout, LoggerPlan, LoggingPlan
from penstock.logs.substitution import substitute

DEFAULT_PATTERN = "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n"
MOST_BYTES = 100 << 20
MOST_FILES = 10
MOST_FILES_VARIABLE = "MAX_LOG_FILE_NUMBER"
"""The variable by which files of Flink's ask for ``env.log.max``."""


class Role(Enum):
    """What a process is."""

    JOBMANAGER = "jobmanager"
    TASKMANAGER = "taskmanager"
    CLI = "cli"
    SESSION = "session"
    CONSOLE = "console"
    HISTORY_SERVER = "history-server"


_SUFFIXES = {
    Role.JOBMANAGER: "",
    Role.TASKMANAGER: "",
    Role.CLI: "-cli",
    Role.SESSION: "-session",
    Role.CONSOLE: "-console",
    Role.HISTORY_SERVER: "",
}


def find_logging_file(conf_dir: str | os.PathLike[str] | None, role: Role) -> Path | None:
    """The file that a role obeys, if the directory has one."""
    if conf_dir is None:
        return None
    suffix = _SUFFIXES[role]
    for name in (f"logging{suffix}.yaml", f"log4j{suffix}.properties"):
        path = Path(conf_dir) / name
        if path.is_file():
            return path
    return None


def configure(
    role: Role, conf_dir: str | os.PathLike[str] | None, variables: Mapping[str, str]
) -> Callable[[], None]:
    """Configure this process's logging by its role; the function that is returned undoes it.

    ``variables`` are those of ``${...}`` in the file: ``log.file``, for one. Without a file, daemons write to ``log.file``,
    those in the foreground to the console too, and the logging of a program under the command line is left alone.
    """
    path = find_logging_file(conf_dir, role)
    if path is not None:
        return configure_by(path, variables)
    plan = _default(role, variables)
    if plan is None:
        return lambda: None
    from penstock.logs.applying import apply

    return apply(plan)


def configure_by(path: Path, variables: Mapping[str, str]) -> Callable[[], None]:
    """Configure logging by one file.

    :raises OptionError: where it cannot be read or says what is not supported.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"the logging file {path} cannot be read: {error}") from error
    if path.suffix in (".yaml", ".yml"):
        return configure_by_yaml(text, variables, path)
    from penstock.logs.applying import apply

    return apply(read_log4j(text, variables, str(path)))


def configure_client(
    role: Role, conf_dir: str | os.PathLike[str] | None, log_dir: Path, options: Mapping[str, str]
) -> None:
    """Configure the logging of a command by the file of its role; without one, nothing is changed.

    :raises OptionError: where the file says what is not supported.
    """
    path = find_logging_file(conf_dir, role)
    if path is not None:
        log = log_dir / f"penstock-{_user()}-client-{socket.gethostname()}.log"
        configure_by(path, {**options, "log.file": str(log)})


def configure_by_yaml(
    text: str, variables: Mapping[str, str], path: Path, rotates: bool = True
) -> Callable[[], None]:
    """The schema of ``logging.config.dictConfig``; formatters with a ``pattern`` get log4j's patterns.

    Without ``rotates`` files that would be rotated are appended to, and followed where another process rotates them.
    """
    from logging.config import dictConfig

    import yaml

    from penstock.logs.place import install

    try:
        described = yaml.safe_load(substitute(text, variables, str(path)))
    except yaml.YAMLError as error:
        raise OptionError(f"the logging file {path} is no YAML: {error}") from error
    if not isinstance(described, dict):
        raise OptionError(f"the logging file {path} has to hold what logging.config.dictConfig takes")
    for formatter in (described.get("formatters") or {}).values():
        if isinstance(formatter, dict) and "pattern" in formatter and "()" not in formatter:
            formatter["()"] = "penstock.logs.patterns.PatternFormatter"
    if not rotates:
        _only_append(described)
    described.setdefault("version", 1)
    described.setdefault("disable_existing_loggers", False)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    install()
    try:
        dictConfig(described)
    except (ValueError, TypeError, AttributeError, ImportError, OSError) as error:
        raise OptionError(f"the logging file {path}: {error.__cause__ or error}") from error

    def undo() -> None:
        root.setLevel(before[0])
        root.handlers = before[1]

    return undo


def _only_append(described: dict[str, Any]) -> None:
    for name, handler in (described.get("handlers") or {}).items():
        kind = handler.get("class") if isinstance(handler, dict) else None
        if isinstance(kind, str) and kind.rpartition(".")[2] in _WRITE_FILES:
            kept = {key: value for key, value in handler.items() if key in _OF_EVERY_FILE}
            described["handlers"][name] = {**kept, "class": "logging.handlers.WatchedFileHandler"}


_WRITE_FILES = ("FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler")
_OF_EVERY_FILE = ("filename", "formatter", "level", "filters", "encoding", "errors", "delay")


def _default(role: Role, variables: Mapping[str, str]) -> LoggingPlan | None:
    layout = Layout(DEFAULT_PATTERN)
    appenders: dict[str, Any] = {}
    if role in (Role.CONSOLE, Role.SESSION):
        appenders["console"] = ConsoleAppender(layout)
    if role in (Role.JOBMANAGER, Role.TASKMANAGER, Role.HISTORY_SERVER, Role.CONSOLE) and variables.get(
        "log.file"
    ):
        appenders["file"] = FileAppender(
            layout, variables["log.file"], True, MOST_BYTES, _most_files(variables)
        )
    if not appenders:
        return None
    level = level_of(os.environ.get("ROOT_LOG_LEVEL") or variables.get("env.log.level") or "INFO")
    return LoggingPlan(appenders, {"": LoggerPlan(level, tuple(appenders))})


def _most_files(variables: Mapping[str, str]) -> int:
    text = os.environ.get(MOST_FILES_VARIABLE) or variables.get("env.log.max") or str(MOST_FILES)
    return int(text) if text.isdigit() else MOST_FILES


def log_name(role: Role, index: int, user: str, host: str) -> str:
    """The name of a process's log without its ending.

    >>> log_name(Role.TASKMANAGER, 2, "ann", "node1")
    'penstock-ann-taskmanager-2-node1'
    """
    return f"penstock-{user}-{role.value}-{index}-{host}"


def next_log(log_dir: str | os.PathLike[str], role: Role) -> Path:
    """The path, without an ending, for the log of a new process: its index is one above the highest that is there."""
    user, host = _user(), socket.gethostname()
    pattern = re.compile(
        re.escape(log_name(role, 0, user, host)).replace("\\-0\\-", r"\-(\d+)\-") + r"\.(log|out)$"
    )
    found = [0]
    with suppress(OSError):
        found += [int(match.group(1)) + 1 for name in os.listdir(log_dir) if (match := pattern.match(name))]
    return Path(log_dir) / log_name(role, max(found), user, host)


def _user() -> str:
    import getpass

    try:
        return os.environ.get("PENSTOCK_IDENT_STRING") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        return str(os.getuid())
