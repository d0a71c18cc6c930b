"""Lengths of time and sizes of memory as Flink writes them in a configuration."""

NANOS_PER_MS = 1_000_000
NANOS_PER_SECOND = 1_000_000_000

_TIME_UNITS = (
    (86_400 * NANOS_PER_SECOND, ("d", "day", "days")),
    (3_600 * NANOS_PER_SECOND, ("h", "hour", "hours")),
    (60 * NANOS_PER_SECOND, ("min", "m", "minute", "minutes")),
    (NANOS_PER_SECOND, ("s", "sec", "secs", "second", "seconds")),
    (NANOS_PER_MS, ("ms", "milli", "millis", "millisecond", "milliseconds")),
    (1_000, ("µs", "micro", "micros", "microsecond", "microseconds")),
    (1, ("ns", "nano", "nanos", "nanosecond", "nanoseconds")),
)
_MEMORY_UNITS = (
    (1 << 40, ("t", "tb", "tebibytes")),
    (1 << 30, ("g", "gb", "gibibytes")),
    (1 << 20, ("m", "mb", "mebibytes")),
    (1 << 10, ("k", "kb", "kibibytes")),
    (1, ("b", "bytes", "")),
)


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration as Flink writes it: a whole number and a unit, or ISO-8601; without a unit milliseconds.

    >>> [parse_duration(text) // NANOS_PER_MS for text in ("10 s", "1 min", "5", "PT1.5S")]
    [10000, 60000, 5, 1500]
    """
    digits, unit = _number_and_unit(text)
    if not digits:
        return _parse_iso(text)
    if not unit:
        return int(digits) * NANOS_PER_MS
    for nanos, words in _TIME_UNITS:
        if unit in words:
            return int(digits) * nanos
    known = ", ".join(words[0] for _, words in _TIME_UNITS)
    raise ValueError(f"{text!r} is not a duration: there is no unit {unit!r}; the units are {known}")


def format_duration(nanos: int) -> str:
    """The text that Flink stores in a configuration: a whole number of the largest unit that fits.

    >>> format_duration(90 * NANOS_PER_SECOND), format_duration(0)
    ('90 s', '0 ms')
    """
    if nanos == 0:
        return "0 ms"
    size, words = next((size, words) for size, words in _TIME_UNITS if nanos % size == 0)
    return f"{nanos // size} {words[0]}"


def parse_memory_size(text: str) -> int:
    """Bytes of a size such as ``64 mb``; units are powers of 1024, without a unit bytes.

    >>> parse_memory_size("64 mb"), parse_memory_size("1k"), parse_memory_size("10")
    (67108864, 1024, 10)
    """
    digits, unit = _number_and_unit(text)
    if not digits:
        raise ValueError(f"{text!r} is not a memory size; write a whole number and a unit, such as '64 mb'")
    for size, words in _MEMORY_UNITS:
        if unit in words:
            return int(digits) * size
    known = ", ".join(words[1] for _, words in _MEMORY_UNITS)
    raise ValueError(f"{text!r} is not a memory size: there is no unit {unit!r}; the units are {known}")


def format_memory_size(size_bytes: int) -> str:
    """The text that Flink stores in a configuration.

    >>> format_memory_size(1 << 20), format_memory_size(1500)
    ('1 mb', '1500 bytes')
    """
    for size, words in _MEMORY_UNITS[1:4]:
        if size_bytes and size_bytes % size == 0 and size_bytes // size < 1024:
            return f"{size_bytes // size} {words[1]}"
    return f"{size_bytes} bytes"


def _number_and_unit(text: str) -> tuple[str, str]:
    trimmed = text.strip()
    rest = trimmed.lstrip("0123456789")
    return trimmed[: len(trimmed) - len(rest)], rest.strip().lower()


_ISO_8601 = (
    r"(?P<sign>[-+]?)P(?:(?P<days>[-+]?\d+)D)?"
    r"(?:T(?=[-+\d])(?:(?P<hours>[-+]?\d+)H)?(?:(?P<minutes>[-+]?\d+)M)?"
    r"(?:(?P<minus>[-+]?)(?P<seconds>\d+)(?:[.,](?P<fraction>\d{0,9}))?S)?)?"
)


def _parse_iso(text: str) -> int:
    import re

    match = re.fullmatch(_ISO_8601, text.strip(), re.IGNORECASE)
    if match is None or not (match["days"] or match["hours"] or match["minutes"] or match["seconds"]):
        raise ValueError(
            f"{text!r} is not a duration; write a whole number and a unit, such as '10 s', or ISO-8601, such as PT10S"
        )
    seconds = int(match["seconds"] or 0) * NANOS_PER_SECOND + int((match["fraction"] or "").ljust(9, "0"))
    longer = (
        int(match["days"] or 0) * 86_400 + int(match["hours"] or 0) * 3_600 + int(match["minutes"] or 0) * 60
    )
    total = longer * NANOS_PER_SECOND + (-seconds if match["minus"] == "-" else seconds)
    return -total if match["sign"] == "-" else total
