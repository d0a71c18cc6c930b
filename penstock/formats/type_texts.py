"""Values of declared types as they stand in texts: in CSV fields and JSON strings."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Any

from penstock.data.text_forms import double_text, float_text, instant_text, local_time_text
from penstock.data.time import Instant
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types

Convert = Callable[[Any], Any]

INTEGERS = frozenset({Types.BYTE(), Types.SHORT(), Types.INT(), Types.LONG(), Types.BIG_INT()})
FLOATS = frozenset({Types.FLOAT(), Types.DOUBLE()})

# What Java's trim takes away.
_BLANK = "".join(map(chr, range(0x21)))
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INSTANT = re.compile(
    r"([+-]?\d{4,9})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-]\d\d):?(\d\d))",
    re.ASCII,
)


def reader_of(kind: TypeInformation) -> Convert | None:
    """What makes a value of a plain type out of its text; None for text, and for types that texts do not stand for.

    >>> reader_of(Types.BOOLEAN())("TRUE"), reader_of(Types.SQL_DATE())("2024-02-29")
    (True, datetime.date(2024, 2, 29))
    """
    return _readers().get(kind)


def column_reader_of(kind: TypeInformation) -> Callable[[Iterable[str]], list[Any]] | None:
    """As ``reader_of``, for many texts at once.

    >>> column_reader_of(Types.INT())(["1", " 2 "])
    [1, 2]
    """
    if kind in INTEGERS:
        return _numbers(int, integer_of)
    if kind in FLOATS:
        return _numbers(float, float_of)
    read = reader_of(kind)
    return None if read is None else lambda texts: list(map(read, texts))


def writer_of(kind: TypeInformation) -> Convert | None:
    """What makes the text of a value; None where ``str`` does.

    >>> writer_of(Types.BOOLEAN())(True)
    'true'
    """
    return _WRITERS.get(kind)


def _readers() -> dict[TypeInformation, Convert]:
    if not _READERS:
        from datetime import date, datetime, time

        _READERS.update(dict.fromkeys(INTEGERS, integer_of))
        _READERS.update(dict.fromkeys(FLOATS, float_of))
        _READERS.update({Types.BOOLEAN(): _boolean, Types.BIG_DEC(): decimal_of})
        _READERS.update(dict.fromkeys([Types.SQL_DATE(), Types.LOCAL_DATE()], date.fromisoformat))
        _READERS.update(dict.fromkeys([Types.SQL_TIME(), Types.LOCAL_TIME()], _zoneless(time.fromisoformat)))
        _READERS.update(
            dict.fromkeys([Types.SQL_TIMESTAMP(), Types.LOCAL_DATE_TIME()], _zoneless(datetime.fromisoformat))
        )
        _READERS.update({Types.INSTANT(): instant_of})
        _READERS.update({Types.PRIMITIVE_ARRAY(Types.BYTE()): _bytes})
    return _READERS


_READERS: dict[TypeInformation, Convert] = {}


def _numbers(plain: Convert, strict: Convert) -> Callable[[Iterable[str]], list[Any]]:
    """Python reads more than numbers: underscores between digits, other digits, other spaces."""

    def read(texts: Iterable[str]) -> list[Any]:
        texts = list(texts)
        together = "".join(texts)
        return list(map(plain if together.isascii() and "_" not in together else strict, texts))

    return read


def integer_of(text: str) -> int:
    """An integer as Java reads it, which takes the digits of every script.

    >>> integer_of(" +7 "), integer_of("٣")
    (7, 3)
    """
    if "_" in text or not text.isascii():
        bare = text.strip(_BLANK)
        if not bare.removeprefix("-" if bare[:1] == "-" else "+").isdecimal():
            raise ValueError(f"an integer is expected, not {text!r}")
    return int(text)


def float_of(text: str) -> float:
    """A floating-point number; ``NaN``, ``Infinity`` and their short forms are numbers, too.

    >>> float_of(" 1e3 "), float_of("-Infinity")
    (1000.0, -inf)
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"a number is expected, not {text!r}")
    return float(text)


def decimal_of(text: str) -> Any:
    """A decimal number, with all its digits.

    >>> decimal_of("0.1234567890123456789012")
    Decimal('0.1234567890123456789012')
    """
    from decimal import Decimal

    bare = text.strip(_BLANK)
    if _DECIMAL.fullmatch(bare) is None:
        raise ValueError(f"a decimal number is expected, not {text!r}")
    return Decimal(bare)


def instant_of(text: str) -> Instant:
    """A point in time, whose text has a zone; of any year, and to the nanosecond.

    >>> instant_of("1970-01-01T02:00:01.5+02:00")
    Instant<1, 500000000>
    """
    from datetime import date, time

    found = _INSTANT.fullmatch(text.strip(_BLANK))
    if found is None:
        raise ValueError(f"a point in time with its zone is expected, as 2024-02-29T01:02:03Z, not {text!r}")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    # The calendar repeats every 400 years, and Python's has years 1 to 9999 only.
    eras, year_of_era = divmod(year - 2000, 400)
    days = date(2000 + year_of_era, month, day).toordinal() - 719_163 + eras * 146_097
    time(hour, minute, second)  # refuses what no clock shows
    offset_hours, offset_minutes = found.group(8) or "+0", int(found.group(9) or 0)
    offset = int(offset_hours) * 3600 + (-60 if offset_hours[0] == "-" else 60) * offset_minutes
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return Instant(seconds, int((found.group(7) or "").ljust(9, "0")))


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"true or false is expected, not {text!r}")
    return lowered == "true"


def _zoneless(parse: Convert) -> Convert:
    """``Z`` may stand there, as Flink writes it; any other zone would be lost."""

    def read(text: str) -> Any:
        value = parse(text.removesuffix("Z"))
        if value.tzinfo is not None:
            raise ValueError(
                f"a time without a zone is expected, not {text!r}; Types.INSTANT() takes a date with time and zone"
            )
        return value

    return read


def _bytes(text: str) -> bytes:
    return b64decode(text, validate=True)


def moment_text(value: Any) -> str:
    """A time, or a date with a time, with as many digits of the second as are needed.

    >>> from datetime import time
    >>> moment_text(time(1, 2, 3)), moment_text(time(1, 2, 3, 450_000))
    ('01:02:03', '01:02:03.45')
    """
    text: str = value.isoformat()
    return text.rstrip("0") if value.microsecond else text


def _timestamp_text(value: Any) -> str:
    """As Java writes a ``java.sql.Timestamp``, which always has a fraction."""
    text = _spaced(value)
    return text if value.microsecond else f"{text}.0"


def _spaced(value: Any) -> str:
    return moment_text(value).replace("T", " ")


def _instant_text(value: Instant) -> str:
    whole, point, fraction = instant_text(value).removesuffix("Z").replace("T", " ").partition(".")
    return f"{whole}{point}{fraction.rstrip('0')}Z"


_WRITERS: dict[TypeInformation, Convert] = {
    Types.BOOLEAN(): lambda value: "true" if value else "false",
    **dict.fromkeys([Types.SQL_DATE(), Types.LOCAL_DATE()], lambda value: value.isoformat()),
    Types.FLOAT(): float_text,
    Types.DOUBLE(): double_text,
    Types.SQL_TIME(): moment_text,
    Types.LOCAL_TIME(): local_time_text,
    Types.SQL_TIMESTAMP(): _timestamp_text,
    Types.LOCAL_DATE_TIME(): _spaced,
    Types.INSTANT(): _instant_text,
    Types.PRIMITIVE_ARRAY(Types.BYTE()): lambda value: b64encode(value).decode("ascii"),
}
