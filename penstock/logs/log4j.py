"""Reads log4j's ``.properties`` files, of version 1 and of version 2, so that files from a Flink installation serve here.

Sources: the documentation of Log4j 2, "Configuration file", and of log4j 1.2, "Configuration".
"""

import re
from collections.abc import Mapping

from penstock.errors import OptionError
from penstock.logs.levels import level_of
from penstock.logs.plan import (
    Appender,
    ConsoleAppender,
    FileAppender,
    Layout,
    LoggerPlan,
    LoggingPlan,
    NullAppender,
    SyslogAppender,
)
from penstock.logs.substitution import substitute

_SIZE = re.compile(r"(\d+)\s*(KB|MB|GB)?\s*$", re.IGNORECASE)
_FACTORS = {"": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
Properties = dict[str, str]


def read_log4j(text: str, variables: Mapping[str, str], where: str) -> LoggingPlan:
    """The plan of a file; ``where`` is its name, for errors.

    >>> plan = read_log4j("rootLogger.level=WARN\\nlogger.k.name=kafka\\nlogger.k.level=DEBUG", {}, "x")
    >>> plan.loggers["kafka"].level, plan.loggers[""].level
    (10, 30)

    :raises OptionError: for appenders, layouts and levels that are not supported, by their names.
    """
    properties = {key: substitute(value, variables, where) for key, value in _properties(text).items()}
    own = {
        key.removeprefix("property."): value
        for key, value in properties.items()
        if key.startswith("property.")
    }
    if own:
        properties = {
            key: substitute(value, {**variables, **own}, where) for key, value in properties.items()
        }
    if any(key.startswith("log4j.") for key in properties):
        return _First({key.removeprefix("log4j."): value for key, value in properties.items()}, where).plan()
    return _Second(properties, where).plan()


def _properties(text: str) -> Properties:
    """Keys and values of a properties file of Java; a ``\\`` at the end of a line goes on in the next."""
    found: Properties = {}
    joined = re.sub(r"\\\r?\n[ \t]*", "", text)
    for line in joined.splitlines():
        line = line.strip()
        if not line or line[0] in "#!":
            continue
        key, _, value = re.sub(r"^([^=:\s]+)\s*[=:]?\s*", "\\1\0", line, count=1).partition("\0")
        found[key] = value.replace("\\:", ":").replace("\\=", "=").replace("\\\\", "\\")
    return found


def _size(text: str, where: str) -> int:
    found = _SIZE.match(text.strip())
    if found is None:
        raise OptionError(f"{where}: {text!r} is no size; write 10MB, for example")
    return int(found.group(1)) * _FACTORS[(found.group(2) or "").upper()]


class _First:
    """Version 1: ``log4j.rootLogger=INFO, file``."""

    def __init__(self, properties: Properties, where: str) -> None:
        self._properties = properties
        self._where = where

    def plan(self) -> LoggingPlan:
        properties = self._properties
        additivity = {
            key.removeprefix("additivity."): value.strip().lower() != "false"
            for key, value in properties.items()
            if key.startswith("additivity.")
        }
        loggers: dict[str, LoggerPlan] = {}
        for key, value in properties.items():
            name = "" if key in ("rootLogger", "rootCategory") else None
            for prefix in ("logger.", "category."):
                if key.startswith(prefix):
                    name = key.removeprefix(prefix)
            if name is not None:
                level, *appenders = [part.strip() for part in value.split(",")]
                number = level_of(level) if level and level.upper() not in ("INHERITED", "NULL") else None
                loggers[name] = LoggerPlan(number, tuple(filter(None, appenders)), additivity.get(name, True))
        wanted = {name for plan in loggers.values() for name in plan.appenders}
        return LoggingPlan({name: self._appender(name) for name in sorted(wanted)}, loggers)

    def _appender(self, name: str) -> Appender:
        prefix = f"appender.{name}"
        kind = self._properties.get(prefix)
        if kind is None:
            raise OptionError(f"{self._where}: a logger names the appender {name!r}, which is not described")
        own = {
            key.removeprefix(f"{prefix}.").lower(): value
            for key, value in self._properties.items()
            if key.startswith(f"{prefix}.")
        }
        self._refuse_others(own, prefix)
        threshold = level_of(own["threshold"]) if "threshold" in own else 0
        layout = self._layout(own)
        match kind.rpartition(".")[2]:
            case "ConsoleAppender":
                return ConsoleAppender(layout, _stream(own.get("target", "System.out")), threshold)
            case "FileAppender":
                return FileAppender(
                    layout, self._path(own, name), _truth(own.get("append", "true")), threshold=threshold
                )
            case "DailyRollingFileAppender":
                rolls = _rolls(own.get("datepattern", "'.'yyyy-MM-dd"), self._where)
                return FileAppender(layout, self._path(own, name), threshold=threshold, rolls=rolls)
            case "RollingFileAppender":
                return FileAppender(
                    layout,
                    self._path(own, name),
                    _truth(own.get("append", "true")),
                    _size(own.get("maxfilesize", "10MB"), self._where),
                    int(own.get("maxbackupindex", "1")),
                    threshold,
                )
            case "SyslogAppender":
                host, _, port = own.get("sysloghost", "localhost").partition(":")
                return SyslogAppender(
                    layout,
                    host,
                    int(port or 514),
                    "udp",
                    own.get("facility", "user").lower(),
                    own.get("tag", "penstock"),
                    threshold,
                )
            case "NullAppender":
                return NullAppender()
        raise OptionError(f"{self._where}: the appender {name!r} is of class {kind}, which is not supported")

    def _refuse_others(self, own: Properties, prefix: str) -> None:
        for key in own:
            if key not in _FIRST_KEYS:
                raise OptionError(f"{self._where}: log4j.{prefix}.{key} is not supported")

    def _path(self, own: Properties, name: str) -> str:
        if not own.get("file"):
            raise OptionError(
                f"{self._where}: the appender {name!r} has no file; write log4j.appender.{name}.file=PATH"
            )
        return own["file"]

    def _layout(self, own: Properties) -> Layout:
        kind = own.get("layout", "PatternLayout").rpartition(".")[2]
        if kind in ("PatternLayout", "EnhancedPatternLayout"):
            return Layout(own.get("layout.conversionpattern", "%m%n"))
        if kind == "SimpleLayout":
            return Layout("%p - %m%n")
        if kind == "TTCCLayout":
            return Layout("%r [%t] %p %c %x - %m%n")
        if "json" in kind.lower():
            return Layout(json=True)
        raise OptionError(f"{self._where}: the layout {kind} is not supported; use PatternLayout")


class _Second:
    """Version 2: ``rootLogger.level = INFO``, ``appender.main.type = RollingFile``."""

    def __init__(self, properties: Properties, where: str) -> None:
        self._properties = properties
        self._where = where

    def plan(self) -> LoggingPlan:
        for key in self._properties:
            if not _SECOND_PLACES.match(key):
                raise OptionError(f"{self._where}: {key} is not supported")
        ids = self._ids("appender.")
        by_name = {self._of("appender", each).get("name", each): each for each in ids}
        loggers = {"": self._logger(self._under("rootLogger"), shorthand=self._properties.get("rootLogger"))}
        for each in self._ids("logger."):
            own = self._of("logger", each)
            shorthand = self._properties.get(f"logger.{each}")
            if "name" not in own:
                raise OptionError(
                    f"{self._where}: logger.{each} has no name; write logger.{each}.name = package"
                )
            loggers[own["name"]] = self._logger(own, shorthand)
        appenders: dict[str, Appender] = {}
        for name in sorted({name for plan in loggers.values() for name in plan.appenders}):
            if name not in by_name:
                raise OptionError(
                    f"{self._where}: a logger names the appender {name!r}, which is not described"
                )
            appenders[name] = self._appender(by_name[name])
        return LoggingPlan(appenders, loggers)

    def _ids(self, prefix: str) -> list[str]:
        found = (key.removeprefix(prefix).split(".")[0] for key in self._properties if key.startswith(prefix))
        return list(dict.fromkeys(found))

    def _under(self, prefix: str) -> Properties:
        return {
            key.removeprefix(f"{prefix}."): value
            for key, value in self._properties.items()
            if key.startswith(f"{prefix}.")
        }

    def _of(self, kind: str, each: str) -> Properties:
        return self._under(f"{kind}.{each}")

    def _logger(self, own: Properties, shorthand: str | None) -> LoggerPlan:
        level = own.get("level")
        appenders = [
            value for key, value in own.items() if key.startswith("appenderRef.") and key.endswith(".ref")
        ]
        if shorthand is not None:
            first, *others = [part.strip() for part in shorthand.split(",")]
            level, appenders = first or level, [*others, *appenders]
        additive = _truth(own.get("additivity", "true"))
        return LoggerPlan(level_of(level) if level else None, tuple(dict.fromkeys(appenders)), additive)

    def _appender(self, each: str) -> Appender:
        own = self._of("appender", each)
        own, threshold = self._without_filters(each, own)
        own, size, rolls = self._without_policies(each, own)
        for key in own:
            if key not in _SECOND_KEYS:
                raise OptionError(f"{self._where}: appender.{each}.{key} is not supported")
        layout = self._layout(own)
        match own.get("type", "").lower():
            case "console":
                return ConsoleAppender(layout, _stream(own.get("target", "SYSTEM_OUT")), threshold)
            case "file":
                return FileAppender(
                    layout, self._path(own, each), _truth(own.get("append", "true")), threshold=threshold
                )
            case "rollingfile" | "rollingrandomaccessfile":
                most = int(own.get("strategy.max", "7"))
                append = _truth(own.get("append", "true"))
                return FileAppender(
                    layout, self._path(own, each), append, 0 if rolls else size, most, threshold, rolls
                )
            case "syslog":
                return SyslogAppender(
                    layout,
                    own.get("host", "localhost"),
                    int(own.get("port", "514")),
                    own.get("protocol", "udp").lower(),
                    own.get("facility", "local0").lower(),
                    own.get("appName", own.get("id", "penstock")),
                    threshold,
                )
            case "null":
                return NullAppender()
        raise OptionError(
            f"{self._where}: appender.{each} is of type {own.get('type')!r}, which is not supported; supported are Console, "
            "File, RollingFile, Syslog and Null"
        )

    def _without_filters(self, each: str, own: Properties) -> tuple[Properties, int]:
        """What is left of an appender, and the level from which on records come into it."""
        threshold = 0
        for name in _names_in(own, "filter"):
            kind = own.get(f"filter.{name}.type", "")
            outcomes = [own.get(f"filter.{name}.{which}", "").upper() for which in ("onMatch", "onMismatch")]
            if (
                kind.lower() != "thresholdfilter"
                or outcomes[0] == "DENY"
                or outcomes[1] in ("ACCEPT", "NEUTRAL")
            ):
                raise OptionError(
                    f"{self._where}: appender.{each}.filter.{name} is of type {kind!r}, or turns round what it does; "
                    "supported is a ThresholdFilter that denies what is below its level"
                )
            threshold = max(threshold, level_of(own.get(f"filter.{name}.level", "ERROR")))
        return {key: value for key, value in own.items() if not key.startswith("filter.")}, threshold

    def _without_policies(self, each: str, own: Properties) -> tuple[Properties, int, str]:
        """What is left, the size at which a file is full, and when a new one is begun."""
        size, rolls = 0, ""
        for name in [one for one in _names_in(own, "policies") if one != "type"]:
            kind = own.get(f"policies.{name}.type", "SizeBasedTriggeringPolicy" if name == "size" else "")
            match kind.lower().removesuffix("triggeringpolicy"):
                case "sizebased":
                    size = _size(own.get(f"policies.{name}.size", "10MB"), self._where)
                case "timebased" if own.get(f"policies.{name}.interval", "1") == "1":
                    found = re.search(r"%d(?:ate)?\{([^}]*)\}", own.get("filePattern", ""))
                    rolls = _rolls(found[1] if found else "yyyy-MM-dd", self._where)
                case "onstartup":
                    pass  # each process has a file of its own, which is new
                case _:
                    raise OptionError(
                        f"{self._where}: appender.{each}.policies.{name} is of type {kind!r}, which is not supported; "
                        "supported are SizeBasedTriggeringPolicy, OnStartupTriggeringPolicy, and TimeBasedTriggeringPolicy "
                        "of interval 1"
                    )
        if size and rolls:
            raise OptionError(
                f"{self._where}: appender.{each} rolls by size and by time at once, which is not supported; "
                "leave out one policy"
            )
        left = {key: value for key, value in own.items() if not key.startswith("policies.")}
        return left, size, rolls

    def _path(self, own: Properties, each: str) -> str:
        if not own.get("fileName"):
            raise OptionError(f"{self._where}: appender.{each} has no fileName")
        return own["fileName"]

    def _layout(self, own: Properties) -> Layout:
        kind = own.get("layout.type", "PatternLayout")
        if kind == "PatternLayout":
            return Layout(own.get("layout.pattern", "%m%n"))
        if kind in ("JsonLayout", "JsonTemplateLayout"):
            return Layout(json=True)
        if kind in ("Rfc5424Layout", "SyslogLayout"):
            return Layout("%m")
        raise OptionError(
            f"{self._where}: the layout {kind!r} is not supported; use PatternLayout or JsonLayout"
        )


def _truth(text: str) -> bool:
    return text.strip().lower() != "false"


def _stream(target: str) -> str:
    return "stderr" if target.strip().lower() in ("system.err", "system_err") else "stdout"


def _names_in(own: Properties, part: str) -> list[str]:
    found = [key.split(".")[1] for key in own if key.startswith(f"{part}.")]
    return list(dict.fromkeys(found))


def _rolls(pattern: str, where: str) -> str:
    """When a file is begun anew whose older ones have such dates in their names."""
    letters = re.sub(r"'[^']*'|[^A-Za-z]", "", pattern)
    for wanted, when in (("yyyyMMddHHmm", "M"), ("yyyyMMddHH", "H"), ("yyyyMMdd", "midnight")):
        if letters == wanted:
            return when
    raise OptionError(
        f"{where}: files that are begun anew by the date {pattern!r} are not supported; write yyyy-MM-dd, yyyy-MM-dd-HH or "
        "yyyy-MM-dd-HH-mm"
    )


_FIRST_KEYS = {
    "layout", "layout.conversionpattern", "threshold", "target", "file", "append", "maxfilesize", "maxbackupindex",
    "datepattern", "sysloghost", "facility", "tag",
    # These have no effect on what is written:
    "encoding", "immediateflush", "bufferedio", "buffersize", "follow", "facilityprinting", "header",
}  # fmt: skip
_SECOND_KEYS = {
    "name", "type", "target", "append", "fileName", "filePattern", "layout.type", "layout.pattern", "strategy.type",
    "strategy.max", "host", "port", "protocol", "facility", "appName", "id", "format",
    # These have no effect on what is written:
    "immediateFlush", "bufferedIo", "bufferedIO", "bufferSize", "ignoreExceptions", "locking", "follow", "direct",
    "layout.charset", "layout.compact", "layout.eventEol", "strategy.min", "strategy.fileIndex", "newLine",
    "immediateFail", "reconnectionDelayMillis", "connectTimeoutMillis", "mdcId", "includeMDC", "enterpriseNumber",
    "messageId",
}  # fmt: skip
# Places of a whole file, and settings of log4j itself, which has nothing to set here: files are read once, when a process
# starts.
_SECOND_PLACES = re.compile(
    r"(rootLogger|logger|appender|property)(\.|$)"
    r"|(status|name|monitorInterval|packages|dest|verbose|strict|shutdownHook|shutdownTimeout|appenders|loggers)$"
)
