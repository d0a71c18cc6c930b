"""Values of declared types as they stand in texts: in CSV fields and JSON strings."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from penstock.data.text_forms import double_text, float_text
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types

Convert = Callable[[Any], Any]


def reader_of(kind: TypeInformation) -> Convert | None:
    """What makes a value of a plain type out of its text; None for text, and for types that texts do not stand for.

    >>> reader_of(Types.BOOLEAN())("TRUE"), reader_of(Types.SQL_DATE())("2024-02-29")
    (True, datetime.date(2024, 2, 29))
    """
    return _readers().get(kind)


def writer_of(kind: TypeInformation) -> Convert | None:
    """What makes the text of a value; None where ``str`` does.

    >>> writer_of(Types.BOOLEAN())(True)
    'true'
    """
    return _WRITERS.get(kind)


def _readers() -> dict[TypeInformation, Convert]:
    if not _READERS:
        from datetime import date, datetime, time
        from decimal import Decimal

        _READERS.update(dict.fromkeys([Types.BYTE(), Types.SHORT(), Types.INT(), Types.LONG()], int))
        _READERS.update({Types.FLOAT(): float, Types.DOUBLE(): float, Types.BIG_INT(): int})
        _READERS.update({Types.BOOLEAN(): _boolean, Types.BIG_DEC(): _decimal(Decimal)})
        _READERS.update(
            {Types.SQL_DATE(): date.fromisoformat, Types.SQL_TIME(): _zoneless(time.fromisoformat)}
        )
        _READERS.update({Types.SQL_TIMESTAMP(): _zoneless(datetime.fromisoformat)})
        _READERS.update({Types.PRIMITIVE_ARRAY(Types.BYTE()): _bytes})
    return _READERS


_READERS: dict[TypeInformation, Convert] = {}


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"true or false is expected, not {text!r}")
    return lowered == "true"


def _decimal(kind: Any) -> Convert:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ArithmeticError:
            raise ValueError(f"a decimal number is expected, not {text!r}") from None

    return read


def _zoneless(parse: Convert) -> Convert:
    def read(text: str) -> Any:
        return parse(text.removesuffix("Z")).replace(tzinfo=None)

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
    text = moment_text(value).replace("T", " ")
    return text if value.microsecond else f"{text}.0"


_WRITERS: dict[TypeInformation, Convert] = {
    Types.BOOLEAN(): lambda value: "true" if value else "false",
    Types.SQL_DATE(): lambda value: value.isoformat(),
    Types.FLOAT(): float_text,
    Types.DOUBLE(): double_text,
    Types.SQL_TIME(): moment_text,
    Types.SQL_TIMESTAMP(): _timestamp_text,
    Types.PRIMITIVE_ARRAY(Types.BYTE()): lambda value: b64encode(value).decode("ascii"),
}
