"""Makes a plan come true: handlers, levels, and one way back."""

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler, TimedRotatingFileHandler, WatchedFileHandler
from typing import Any

from penstock.errors import OutsideError
from penstock.logs.patterns import PatternFormatter
from penstock.logs.place import FIELDS, install
from penstock.logs.plan import (
    Appender,
    ConsoleAppender,
    FileAppender,
    Layout,
    LoggingPlan,
    NullAppender,
    SyslogAppender,
)


def apply(plan: LoggingPlan, everywhere: logging.Handler | None = None) -> Callable[[], None]:
    """Configure ``logging`` of this process; the function that is returned undoes it.

    What was configured before is replaced, where the plan names the logger. ``everywhere`` is added to the root logger.
    """
    install()
    handlers = {name: _handler(appender) for name, appender in plan.appenders.items()}
    before: list[tuple[logging.Logger, int, list[logging.Handler], bool]] = []
    for name, own in plan.loggers.items():
        logger = logging.getLogger(name or None)
        before.append((logger, logger.level, list(logger.handlers), logger.propagate))
        logger.setLevel(logging.NOTSET if own.level is None else own.level)
        logger.handlers = [handlers[appender] for appender in own.appenders]
        logger.propagate = own.additive or not name
    if everywhere is not None:
        logging.getLogger().addHandler(everywhere)

    def undo() -> None:
        for logger, level, old, propagate in reversed(before):
            logger.setLevel(level)
            logger.handlers = old
            logger.propagate = propagate
        for handler in handlers.values():
            handler.close()

    return undo


def _handler(appender: Appender) -> logging.Handler:
    handler: logging.Handler
    match appender:
        case NullAppender():
            return logging.NullHandler()
        case ConsoleAppender():
            handler = _ConsoleStream(appender.stream)
        case FileAppender():
            handler = _file_handler(appender)
        case SyslogAppender(host=host, port=port, protocol=protocol, facility=facility, tag=tag):
            from penstock.logs.syslog import Rfc5424Sender

            handler = Rfc5424Sender(host, port, protocol, facility, tag)
    handler.setLevel(appender.threshold)
    handler.setFormatter(formatter_of(appender.layout))
    return handler


def _file_handler(appender: FileAppender) -> logging.Handler:
    mode = "a" if appender.append else "w"
    try:
        os.makedirs(os.path.dirname(os.path.abspath(appender.path)), exist_ok=True)
        if appender.rolls:
            return TimedRotatingFileHandler(
                appender.path,
                appender.rolls,
                backupCount=appender.backups,
                encoding="utf-8",
                errors="backslashreplace",
            )
        if appender.max_bytes:
            return RotatingFileHandler(
                appender.path,
                mode,
                appender.max_bytes,
                appender.backups,
                encoding="utf-8",
                errors="backslashreplace",
            )
        return WatchedFileHandler(appender.path, mode, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutsideError(
            f"the log file {appender.path} cannot be written: {error.strerror or error}"
        ) from error


class _ConsoleStream(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what standard output or standard error is when a record comes, as tests and tools replace them."""

    def __init__(self, name: str) -> None:
        self._which = name
        super().__init__()

    @property
    def stream(self) -> Any:
        return getattr(sys, self._which)

    @stream.setter
    def stream(self, value: Any) -> None:
        del value


def formatter_of(layout: Layout) -> logging.Formatter:
    """The formatter of a layout."""
    return JsonFormatter() if layout.json else PatternFormatter(layout.pattern)


class JsonFormatter(logging.Formatter):
    """Each record as an object of JSON in one line.

    >>> record = logging.LogRecord("a", logging.INFO, "f.py", 7, "hello", (), None)
    >>> sorted(json.loads(JsonFormatter().format(record)))
    ['level', 'line', 'logger', 'message', 'process', 'thread', 'time']
    """

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "thread": record.threadName,
            "process": record.process,
            "line": f"{record.pathname}:{record.lineno}",
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                entry[name] = value
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)
