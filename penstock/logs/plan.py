"""What a logging file says, whatever its dialect: appenders, and which loggers write to them from which level on."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Layout:
    """How a record becomes text: a pattern of log4j, or an object of JSON in a line of its own."""

    pattern: str = "%d %-5p %c - %m%n"
    json: bool = False


@dataclass(frozen=True, slots=True)
class ConsoleAppender:
    """To standard output or standard error."""

    layout: Layout
    stream: str = "stdout"
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class FileAppender:
    """To a file, and to ``backups`` older ones beside it where ``max_bytes`` is given or ``rolls`` says when to begin anew.

    ``rolls`` is a ``when`` of ``logging.handlers.TimedRotatingFileHandler``; of old files by time, 0 backups keep all.
    """

    layout: Layout
    path: str
    append: bool = True
    max_bytes: int = 0
    backups: int = 0
    threshold: int = 0
    rolls: str = ""


@dataclass(frozen=True, slots=True)
class SyslogAppender:
    """To a syslog server, framed as RFC 5424 says. ``protocol``: udp, tcp, or unix with ``host`` as the socket's path."""

    layout: Layout
    host: str
    port: int
    protocol: str = "udp"
    facility: str = "user"
    tag: str = "penstock"
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class NullAppender:
    """To nowhere."""


Appender = ConsoleAppender | FileAppender | SyslogAppender | NullAppender


@dataclass(frozen=True, slots=True)
class LoggerPlan:
    """One logger. ``additive``: its records go to the appenders of its parents, too."""

    level: int | None
    appenders: tuple[str, ...] = ()
    additive: bool = True


@dataclass(frozen=True, slots=True)
class LoggingPlan:
    """A whole file. The root logger's name is the empty text."""

    appenders: dict[str, Appender] = field(default_factory=dict)
    loggers: dict[str, LoggerPlan] = field(default_factory=dict)
