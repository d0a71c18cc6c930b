"""Layouts as log4j writes them: ``%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n``.

Sources: the documentation of Log4j 2, "Pattern Layout", and of log4j 1.2, "PatternLayout"; of Java, "DateTimeFormatter".
"""

import logging
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final

from penstock.errors import OptionError
from penstock.logs.levels import log4j_name

Render = Callable[[logging.LogRecord], str]

_CONVERSION: Final = re.compile(
    r"%(?:(?P<percent>%)|(?P<left>-)?(?P<least>\d+)?(?:\.(?P<most>-?\d+))?(?P<word>[A-Za-z]+)(?P<options>(?:\{[^}]*\})*))"
)
_OPTION: Final = re.compile(r"\{([^}]*)\}")
_NAMED_DATES: Final = {
    "": "yyyy-MM-dd HH:mm:ss,SSS",
    "DEFAULT": "yyyy-MM-dd HH:mm:ss,SSS",
    "ISO8601": "yyyy-MM-dd'T'HH:mm:ss,SSS",
    "ISO8601_BASIC": "yyyyMMdd'T'HHmmss,SSS",
    "ABSOLUTE": "HH:mm:ss,SSS",
    "DATE": "dd MMM yyyy HH:mm:ss,SSS",
    "COMPACT": "yyyyMMddHHmmssSSS",
}
_DATE_PART: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*")
_MAPPED: Final = {
    "job": "job_id",
    "job_id": "job_id",
    "flink-job-id": "job_id",
    "operator": "operator",
    "subtask": "subtask",
    "attempt": "attempt",
}


class PatternFormatter(logging.Formatter):
    """Formats records by a pattern of log4j. A pattern that never ends a line leaves that to the handler.

    >>> record = logging.LogRecord("a.b.c", logging.WARNING, "f.py", 7, "lost %d", (3,), None)
    >>> PatternFormatter("%-5p|%c{1}|%.1c|%m (%L)%n").format(record)
    'WARN |c|c|lost 3 (7)'
    """

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._renders = _compile(pattern)
        self._shows_exceptions = bool(re.search(r"%[-\d.]*(ex|throwable|xEx|rEx|exception)\b", pattern))

    def format(self, record: logging.LogRecord) -> str:
        text = "".join(render(record) for render in self._renders)
        text = text.removesuffix("\n")  # the handler ends the line
        if not self._shows_exceptions:
            exception = _exception_of(record)
            if exception:
                text = f"{text}\n{exception}"
        return text


def _compile(pattern: str) -> list[Render]:
    renders: list[Render] = []
    end = 0
    for found in _CONVERSION.finditer(pattern):
        renders.append(_literal(pattern[end : found.start()]))
        end = found.end()
        if found["percent"]:
            renders.append(_literal("%"))
            continue
        options = _OPTION.findall(found["options"])
        render, rest = _conversion(found["word"], options, pattern)
        renders += [_fitted(render, found), _literal(rest)]
    renders.append(_literal(pattern[end:]))
    return renders


def _literal(text: str) -> Render:
    text = text.replace("\\n", "\n").replace("\\t", "\t")
    return lambda record: text


def _fitted(render: Render, found: "re.Match[str]") -> Render:
    least = int(found["least"] or 0)
    most = int(found["most"]) if found["most"] else None
    left = bool(found["left"])
    if not least and most is None:
        return render

    def fit(record: logging.LogRecord) -> str:
        text = render(record)
        if most is not None and len(text) > abs(most):
            text = text[:-most] if most < 0 else text[-most:] if most else ""
        return text.ljust(least) if left else text.rjust(least)

    return fit


def _conversion(word: str, options: list[str], pattern: str) -> tuple[Render, str]:
    """What a conversion word writes, and the letters behind it that are text: ``%msgs`` is a message and an ``s``."""
    for length in range(len(word), 0, -1):
        make = _WORDS.get(word[:length])
        if make is not None:
            return make(options), word[length:]
    raise OptionError(
        f"the log pattern {pattern!r} has %{word}, which is not supported; supported are %{', %'.join(sorted(_WORDS))}"
    )


def _logger(options: list[str]) -> Render:
    precision = options[0] if options else ""
    if not precision:
        return lambda record: record.name
    if not re.fullmatch(r"-?\d+", precision):
        return _initials
    count = int(precision)

    def shorten(record: logging.LogRecord) -> str:
        parts = record.name.split(".")
        kept = parts[-count:] if count > 0 else parts[-count:] or parts[-1:]
        return ".".join(kept)

    return shorten


def _initials(record: logging.LogRecord) -> str:
    *packages, last = record.name.split(".")
    return ".".join([*(part[:1] for part in packages), last])


def _date(options: list[str]) -> Render:
    zone: tzinfo | None = None
    if len(options) > 1:
        if options[1] in ("UTC", "GMT", "Z"):
            zone = UTC
        else:
            from zoneinfo import ZoneInfo

            try:
                zone = ZoneInfo(options[1])
            except (ValueError, OSError, LookupError) as error:
                raise OptionError(f"there is no time zone {options[1]!r} for log records") from error
    write = date_writer(options[0] if options else "")
    return lambda record: write(datetime.fromtimestamp(record.created, UTC).astimezone(zone))


def date_writer(pattern: str) -> Callable[[datetime], str]:
    """A date pattern of Java as a function.

    >>> date_writer("yyyy-MM-dd HH:mm:ss,SSS")(datetime(2026, 3, 4, 5, 6, 7, 89_000))
    '2026-03-04 05:06:07,089'

    :raises OptionError: for a letter that is not supported.
    """
    text = _NAMED_DATES.get(pattern, pattern)
    parts: list[Callable[[datetime], str]] = []
    end = 0

    def literal(value: str) -> Callable[[datetime], str]:
        return lambda when: value

    for found in _DATE_PART.finditer(text):
        parts.append(literal(text[end : found.start()]))
        end = found.end()
        letters = found.group(0)
        if letters.startswith("'"):
            parts.append(literal(found.group(1).replace("''", "'") or "'"))
            continue
        part = _date_part(letters)
        if part is None:
            raise OptionError(
                f"the date pattern {pattern!r} of a log layout has {letters!r}, which is not supported"
            )
        parts.append(part)
    parts.append(literal(text[end:]))
    return lambda when: "".join(part(when) for part in parts)


def _date_part(letters: str) -> Callable[[datetime], str] | None:
    width = len(letters)
    match letters[0]:
        case "y" | "u":
            return lambda when: f"{when.year % 100:02d}" if width == 2 else f"{when.year:0{width}d}"
        case "M" if width >= 3:
            return lambda when: when.strftime("%b" if width == 3 else "%B")
        case "S" | "n":
            return lambda when: f"{when.microsecond:06d}"[:width].ljust(width, "0")
        case "E":
            return lambda when: when.strftime("%a" if width <= 3 else "%A")
        case "a":
            return lambda when: when.strftime("%p")
        case "h":
            return lambda when: f"{(when.hour % 12) or 12:0{width}d}"
        case "Z" | "X" | "x":
            return lambda when: when.strftime("%z")
        case "z":
            return lambda when: when.strftime("%Z")
    attribute = {"M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}.get(letters[0])
    if attribute is None:
        return None
    return lambda when: f"{getattr(when, attribute):0{width}d}"


def _mapped(options: list[str]) -> Render:
    if not options or not options[0]:
        return _context
    attribute = _MAPPED.get(options[0])
    if attribute is None:
        raise OptionError(f"log records know nothing of %X{{{options[0]}}}; they know {', '.join(_MAPPED)}")
    return lambda record: _text(getattr(record, attribute, None))


def _context(record: logging.LogRecord) -> str:
    """Job, operator and subtask (counted from 1, as Flink shows them), nothing where there is none."""
    operator = getattr(record, "operator", "")
    if not operator:
        return _text(getattr(record, "job_id", ""))
    subtask = getattr(record, "subtask", None)
    where = "" if subtask is None else f" ({subtask + 1})"
    return f"{getattr(record, 'job_id', '')} {operator}{where}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _exception_of(record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    parts = [record.exc_text or ""]
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(part for part in parts if part)


def _always(render: Render) -> Callable[[list[str]], Render]:
    return lambda options: render


def _started() -> Callable[[logging.LogRecord], str]:
    return lambda record: str(int(record.relativeCreated))


_message = _always(logging.LogRecord.getMessage)
_level = _always(lambda record: log4j_name(record.levelno))
_thread = _always(lambda record: record.threadName or "")
_exception = _always(lambda record: f"\n{text}" if (text := _exception_of(record)) else "")
_nothing = _always(lambda record: "")

_WORDS: Final[dict[str, Callable[[list[str]], Render]]] = {
    "d": _date,
    "date": _date,
    "p": _level,
    "level": _level,
    "le": _level,
    "c": _logger,
    "logger": _logger,
    "C": _logger,
    "class": _logger,
    "m": _message,
    "msg": _message,
    "message": _message,
    "n": _always(lambda record: "\n"),
    "t": _thread,
    "tn": _thread,
    "thread": _thread,
    "T": _always(lambda record: str(record.thread)),
    "tid": _always(lambda record: str(record.thread)),
    "x": _always(_context),
    "NDC": _always(_context),
    "X": _mapped,
    "mdc": _mapped,
    "MDC": _mapped,
    "F": _always(lambda record: record.filename),
    "file": _always(lambda record: record.filename),
    "L": _always(lambda record: str(record.lineno)),
    "line": _always(lambda record: str(record.lineno)),
    "M": _always(lambda record: record.funcName or ""),
    "method": _always(lambda record: record.funcName or ""),
    "l": _always(lambda record: f"{record.pathname}:{record.lineno}"),
    "location": _always(lambda record: f"{record.pathname}:{record.lineno}"),
    "r": _always(_started()),
    "relative": _always(_started()),
    "pid": _always(lambda record: str(record.process or os.getpid())),
    "processId": _always(lambda record: str(record.process or os.getpid())),
    "ex": _exception,
    "exception": _exception,
    "throwable": _exception,
    "xEx": _exception,
    "rEx": _exception,
    "marker": _nothing,
}
