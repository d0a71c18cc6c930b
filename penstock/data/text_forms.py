"""The text of a value as ``DataStream.print()`` writes it.

A value without a declared type is written as Python writes it. A value of a declared type is written as Flink writes it:
``true``, ``1.0E10``, ``(a,1)``, ``2020-01-02 03:04:05.0``. A row is written with its kind in front and its fields as Python
writes them. Where Flink prints the address of an array, its elements are written here; where the Java of its time prints a
floating-point number with more digits than it needs, the shortest text that gives the same number.
"""

import struct
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.type_collections import (
    BasicArrayTypeInfo,
    ListTypeInfo,
    MapTypeInfo,
    ObjectArrayTypeInfo,
    PrimitiveArrayTypeInfo,
)
from penstock.data.type_composites import ExternalTypeInfo, RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_scalars import (
    BasicType,
    BasicTypeInfo,
    DateTypeInfo,
    LocalTimeTypeInfo,
    PickledBytesTypeInfo,
    TimestampTypeInfo,
    TimeTypeInfo,
)

Form = Callable[[Any], str]


def print_form(type_info: TypeInformation | None) -> Form:
    """The function that writes a record of this type; None means that no type was declared.

    >>> from penstock.data.types import Types
    >>> print_form(None)(("a", True)), print_form(Types.TUPLE([Types.STRING(), Types.BOOLEAN()]))(("a", True))
    ("('a', True)", '(a,true)')
    """
    if type_info is None or isinstance(type_info, PickledBytesTypeInfo):
        return str
    if isinstance(type_info, (RowTypeInfo, ExternalTypeInfo)):
        return printed_row
    return java_form(type_info)


def file_form(type_info: TypeInformation | None) -> Form:
    """The function that writes a record of this type into a file of text, where rows are written as Java does, too.

    >>> from penstock.data.types import Types
    >>> file_form(Types.ROW([Types.INT(), Types.STRING()]))(Row(1, None))
    '+I[1, null]'
    """
    if type_info is None or isinstance(type_info, PickledBytesTypeInfo):
        return str
    form = java_form(type_info)
    if isinstance(type_info, RowTypeInfo):
        return lambda value: form(value) if value is None or isinstance(value, Row) else str(value)
    return form


def print_prefix(sink_identifier: str | None, subtask_index: int, parallelism: int) -> str:
    """What stands in front of every record: the identifier of the sink, and which subtask wrote it if there are several.

    >>> print_prefix(None, 2, 4), print_prefix("out", 2, 4), print_prefix("out", 0, 1), print_prefix(None, 0, 1)
    ('3> ', 'out:3> ', 'out> ', '')
    """
    number = str(subtask_index + 1) if parallelism > 1 else ""
    words = [word for word in (sink_identifier, number) if word]
    return f"{':'.join(words)}> " if words else ""


def printed_row(value: Any) -> str:
    """A row with its kind in front and its fields as Python writes them.

    >>> printed_row(Row("a", None))
    '+I[a,None]'
    """
    if not isinstance(value, Row):
        return str(value)
    return f"{value.get_row_kind()}[{','.join(map(str, value))}]"


def java_form(type_info: TypeInformation) -> Form:
    """The function that writes a value of this type, or None, as Flink's Java classes do."""
    form = _present_form(type_info)
    return lambda value: "null" if value is None else form(value)


def _present_form(type_info: TypeInformation) -> Form:
    if isinstance(type_info, BasicTypeInfo):
        return _BASIC_FORMS.get(type_info.basic_type, str)
    if isinstance(type_info, TupleTypeInfo):
        return _fields_form(type_info.get_field_types(), "(", ",", ")")
    if isinstance(type_info, RowTypeInfo):
        fields = _fields_form(type_info.get_field_types(), "[", ", ", "]")
        return lambda row: f"{row.get_row_kind()}{fields(row)}"
    if (
        isinstance(type_info, PrimitiveArrayTypeInfo)
        and type_info.element_type == BasicTypeInfo.BYTE_TYPE_INFO()
    ):
        return _signed_bytes
    if isinstance(type_info, (PrimitiveArrayTypeInfo, BasicArrayTypeInfo, ObjectArrayTypeInfo, ListTypeInfo)):
        element = java_form(type_info.element_type)
        return lambda values: f"[{', '.join(map(element, values))}]"
    if isinstance(type_info, MapTypeInfo):
        key, item = java_form(type_info.key_type), java_form(type_info.value_type)
        return lambda values: f"{{{', '.join([f'{key(k)}={item(v)}' for k, v in values.items()])}}}"
    if isinstance(type_info, LocalTimeTypeInfo):
        return _LOCAL_FORMS[type_info.parts()[0]]
    if isinstance(type_info, ExternalTypeInfo):
        return _present_form(type_info.type_info)
    return _TIME_FORMS.get(type(type_info), str)


def _fields_form(types: list[TypeInformation], start: str, between: str, end: str) -> Form:
    forms = [java_form(type_info) for type_info in types]

    def write(values: Any) -> str:
        return (
            f"{start}{between.join([form(value) for form, value in zip(forms, values, strict=False)])}{end}"
        )

    return write


def _signed_bytes(value: bytes) -> str:
    return f"[{', '.join([str(byte - 256 if byte > 127 else byte) for byte in value])}]"


def double_text(value: float) -> str:
    """A number of 64 bits as Java writes it.

    >>> [double_text(number) for number in (1.0, 1e7, 0.001, 1e-5, float("nan"))]
    ['1.0', '1.0E7', '0.001', '1.0E-5', 'NaN']
    """
    if 1e-3 <= value < 1e7 or -1e7 < value <= -1e-3:
        return repr(value)  # both write the fewest digits that tell the number
    return _java_decimal(value, repr(value), lambda text: float(text) == value)


def float_text(value: float) -> str:
    """A number of 32 bits as Java writes it: the fewest digits that give the same number of 32 bits.

    >>> float_text(0.10000000149011612), float_text(123456.7890625)
    ('0.1', '123456.79')
    """
    if value - value != 0.0:
        return _java_decimal(value, repr(value), lambda _: False)

    def same(text: str) -> bool:
        try:
            return bool(struct.unpack("f", struct.pack("f", float(text)))[0] == value)
        except OverflowError:
            return False

    digits = next((digits for digits in range(1, 9) if same(f"{value:.{digits}g}")), 9)
    return _java_decimal(value, f"{value:.{digits}g}", same)


def _java_decimal(value: float, shortest: str, same: Callable[[str], bool]) -> str:
    """Lay out the digits as Java does: plain from 0.001 up to ten million, else with an exponent; always two digits."""
    if value != value:
        return "NaN"
    if value - value != 0.0:
        return "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = _digits_of(shortest)
    if not digits:
        return f"{sign}0.0"
    if len(digits) == 1 and same(closer := f"{value:.1e}"):
        # Java looks for the nearest number of at least two digits.
        sign, digits, exponent = _digits_of(closer)
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        digits = digits.ljust(exponent + 2, "0")
        return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _digits_of(text: str) -> tuple[str, str, int]:
    """Sign, significant digits and the exponent of the first digit, of a number as Python writes it."""
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    all_digits = whole + fraction
    significant = all_digits.lstrip("0")
    leading = len(all_digits) - len(significant)
    return sign, significant.rstrip("0"), int(exponent or 0) + len(whole) - 1 - leading


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _decimal_text(value: Any) -> str:
    # Java's decimals know no negative zero.
    return str(value or abs(value))


def instant_text(value: Instant) -> str:
    """A point in time as Java writes it, in UTC, with the fraction in groups of three digits.

    >>> instant_text(Instant(1, 500_000_000))
    '1970-01-01T00:00:01.500Z'
    """
    days, seconds = divmod(value.seconds, 86_400)
    year, month, day = _civil(days)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{_year_text(year)}-{month:02d}-{day:02d}T{clock}{_fraction_text(value.nanos)}Z"


def _fraction_text(nanos: int) -> str:
    if nanos == 0:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03d}"
    return f".{nanos // 1_000:06d}" if nanos % 1_000 == 0 else f".{nanos:09d}"


def _year_text(year: int) -> str:
    if year > 9999:
        return f"+{year}"
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of so many days after 1970-01-01, for years that Python's own dates do not reach.

    The calendar repeats every 400 years, which are 146097 days.
    """
    eras, day_of_era = divmod(days + 719_162, 146_097)
    inside = date.fromordinal(day_of_era + 1)
    return inside.year + eras * 400, inside.month, inside.day


def _time_text(value: time) -> str:
    return f"{value:%H:%M:%S}"


def _timestamp_text(value: datetime) -> str:
    fraction = f"{value.microsecond:06d}".rstrip("0") or "0"
    return f"{value.isoformat(' ', 'seconds')}.{fraction}" if value.tzinfo is None else str(value)


def local_time_text(value: time) -> str:
    """A time of day as Java writes it: without seconds that are 0, with the fraction in groups of three digits.

    >>> local_time_text(time(1, 2)), local_time_text(time(1, 2, 3, 450_000))
    ('01:02', '01:02:03.450')
    """
    seconds = f":{value.second:02d}" if value.second or value.microsecond else ""
    return f"{value.hour:02d}:{value.minute:02d}{seconds}{_fraction_text(value.microsecond * 1000)}"


def _local_datetime_text(value: datetime) -> str:
    return f"{value.date().isoformat()}T{local_time_text(value.time())}"


_BASIC_FORMS: dict[BasicType, Form] = {
    BasicType.BOOLEAN: _boolean_text,
    BasicType.FLOAT: float_text,
    BasicType.DOUBLE: double_text,
    BasicType.BIG_DEC: _decimal_text,
    BasicType.INSTANT: instant_text,
}
_TIME_FORMS: dict[type, Form] = {
    DateTypeInfo: date.isoformat,
    TimeTypeInfo: _time_text,
    TimestampTypeInfo: _timestamp_text,
}
_LOCAL_FORMS: dict[LocalTimeTypeInfo.TimeType, Form] = {
    LocalTimeTypeInfo.TimeType.LOCAL_DATE: date.isoformat,
    LocalTimeTypeInfo.TimeType.LOCAL_TIME: local_time_text,
    LocalTimeTypeInfo.TimeType.LOCAL_DATE_TIME: _local_datetime_text,
}
