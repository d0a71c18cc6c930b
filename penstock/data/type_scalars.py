"""Types of single values: numbers, text, dates and times, and the type of everything that has no other."""

import operator
import struct
from collections.abc import Callable
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from penstock.data.time import Instant
from penstock.data.type_information import Misfit, TypeInformation, out_of_numpy


class BasicType(Enum):
    """The kinds of basic types, by Flink's names."""

    STRING = "String"
    BYTE = "Byte"
    BOOLEAN = "Boolean"
    SHORT = "Short"
    INT = "Integer"
    LONG = "Long"
    FLOAT = "Float"
    DOUBLE = "Double"
    CHAR = "Char"
    BIG_INT = "BigInteger"
    BIG_DEC = "BigDecimal"
    INSTANT = "Instant"


class BasicTypeInfo(TypeInformation):
    """Numbers, truth values, text."""

    __slots__ = ("_basic_type", "_fit", "accepts_none")

    def __init__(self, basic_type: BasicType) -> None:
        self._basic_type = basic_type
        self._fit = _FITS[basic_type]
        self.accepts_none = basic_type in _NULLABLE

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        return self._fit(values, kinds)

    def exact_test(self, place: str) -> str:
        kind = _EXACT.get(self._basic_type)
        if kind is not None:
            return f"type({place}) is {kind}"
        if self._basic_type == BasicType.FLOAT:  # not rounded before it is written, as in Flink
            return f"type({place}) is float and -{_LARGEST_FLOAT} <= {place} <= {_LARGEST_FLOAT}"
        bits = _BITS.get(self._basic_type)
        if bits is None:
            return "False"
        return f"type({place}) is int and {-(1 << bits - 1)} <= {place} <= {(1 << bits - 1) - 1}"

    def expectation(self) -> str:
        return _EXPECTATIONS[self._basic_type]

    @property
    def basic_type(self) -> BasicType:
        """Which basic type it is."""
        return self._basic_type

    def parts(self) -> tuple[Any, ...]:
        return (self._basic_type,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BasicTypeInfo) and self._basic_type is other._basic_type

    def __hash__(self) -> int:
        return hash(self._basic_type)

    def __repr__(self) -> str:
        return str(self._basic_type.value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._basic_type,))

    @staticmethod
    def STRING_TYPE_INFO() -> "BasicTypeInfo":
        """Text."""
        return _basic(BasicType.STRING)

    @staticmethod
    def BOOLEAN_TYPE_INFO() -> "BasicTypeInfo":
        """True or False."""
        return _basic(BasicType.BOOLEAN)

    @staticmethod
    def BYTE_TYPE_INFO() -> "BasicTypeInfo":
        """Integers of 8 bits."""
        return _basic(BasicType.BYTE)

    @staticmethod
    def SHORT_TYPE_INFO() -> "BasicTypeInfo":
        """Integers of 16 bits."""
        return _basic(BasicType.SHORT)

    @staticmethod
    def INT_TYPE_INFO() -> "BasicTypeInfo":
        """Integers of 32 bits."""
        return _basic(BasicType.INT)

    @staticmethod
    def LONG_TYPE_INFO() -> "BasicTypeInfo":
        """Integers of 64 bits."""
        return _basic(BasicType.LONG)

    @staticmethod
    def FLOAT_TYPE_INFO() -> "BasicTypeInfo":
        """Floating-point numbers of 32 bits."""
        return _basic(BasicType.FLOAT)

    @staticmethod
    def DOUBLE_TYPE_INFO() -> "BasicTypeInfo":
        """Floating-point numbers of 64 bits."""
        return _basic(BasicType.DOUBLE)

    @staticmethod
    def CHAR_TYPE_INFO() -> "BasicTypeInfo":
        """Single characters."""
        return _basic(BasicType.CHAR)

    @staticmethod
    def BIG_INT_TYPE_INFO() -> "BasicTypeInfo":
        """Integers of any size."""
        return _basic(BasicType.BIG_INT)

    @staticmethod
    def BIG_DEC_TYPE_INFO() -> "BasicTypeInfo":
        """Decimal numbers of any precision."""
        return _basic(BasicType.BIG_DEC)

    @staticmethod
    def INSTANT_TYPE_INFO() -> "InstantTypeInfo":
        """Points in time."""
        return InstantTypeInfo(BasicType.INSTANT)


class InstantTypeInfo(BasicTypeInfo):
    """Points in time, as :class:`penstock.data.time.Instant`."""

    __slots__ = ()

    def __init__(self, basic_type: BasicType = BasicType.INSTANT) -> None:
        super().__init__(basic_type)

    def need_conversion(self) -> bool:
        return True


class PickledBytesTypeInfo(TypeInformation):
    """Any Python value, as it is; the type of a stream for which none was declared."""

    __slots__ = ()

    accepts_none = True

    def fit(self, values: list[Any], nullable: bool) -> list[Any]:
        return values

    def exact_test(self, place: str) -> str:
        return "True"

    def __repr__(self) -> str:
        return "PickledByteArrayTypeInfo"


class DateTypeInfo(TypeInformation):
    """Dates; a datetime loses its time of day."""

    __slots__ = ()

    accepts_none = True

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        return _fit_date(values, kinds)

    def need_conversion(self) -> bool:
        return True

    def expectation(self) -> str:
        return "a datetime.date"

    def __repr__(self) -> str:
        return "DateTypeInfo"


class TimeTypeInfo(TypeInformation):
    """Times of day in milliseconds, without a zone; what is finer is cut off, as Flink does."""

    __slots__ = ()

    accepts_none = True

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        values = _fit_time(values, kinds)
        if any(value.microsecond % 1000 for value in values) or any(value.tzinfo for value in values):
            return [
                value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=None) for value in values
            ]
        return values

    def need_conversion(self) -> bool:
        return True

    def expectation(self) -> str:
        return "a datetime.time"

    def __repr__(self) -> str:
        return "TimeTypeInfo"


class TimestampTypeInfo(TypeInformation):
    """Dates with a time of day in milliseconds, without a zone; what is finer is cut off, as Flink does."""

    __slots__ = ()

    accepts_none = True

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        values = _fit_datetime(values, kinds)
        if any(value.microsecond % 1000 for value in values) or any(value.tzinfo for value in values):
            return [
                value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=None) for value in values
            ]
        return values

    def need_conversion(self) -> bool:
        return True

    def expectation(self) -> str:
        return "a datetime.datetime"

    def __repr__(self) -> str:
        return "TimestampTypeInfo"


class SqlTimeTypeInfo(TypeInformation):
    """Where Flink keeps the types of dates and times."""

    __slots__ = ()

    @staticmethod
    def DATE() -> DateTypeInfo:
        """Dates."""
        return DateTypeInfo()

    @staticmethod
    def TIME() -> TimeTypeInfo:
        """Times of day."""
        return TimeTypeInfo()

    @staticmethod
    def TIMESTAMP() -> TimestampTypeInfo:
        """Dates with a time of day."""
        return TimestampTypeInfo()


class LocalTimeTypeInfo(TypeInformation):
    """Dates and times to the microsecond, without a zone."""

    __slots__ = ("_time_type",)

    accepts_none = True

    class TimeType(Enum):
        """Which part of date and time it holds."""

        LOCAL_DATE = 0
        LOCAL_TIME = 1
        LOCAL_DATE_TIME = 2

    def __init__(self, time_type: "LocalTimeTypeInfo.TimeType") -> None:
        self._time_type = time_type

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if self._time_type is LocalTimeTypeInfo.TimeType.LOCAL_DATE:
            return _fit_date(values, kinds)
        is_time = self._time_type is LocalTimeTypeInfo.TimeType.LOCAL_TIME
        values = _fit_time(values, kinds) if is_time else _fit_datetime(values, kinds)
        if any(value.tzinfo for value in values):
            return [value.replace(tzinfo=None) for value in values]
        return values

    def parts(self) -> tuple[Any, ...]:
        return (self._time_type,)

    def __repr__(self) -> str:
        return f"LocalTimeTypeInfo<{self._time_type.name}>"


def _fit_integers(
    code: str, low: int, high: int, expected: str
) -> Callable[[list[Any], set[type]], list[Any]]:
    """Check range and kind; packing is the fastest range check there is, its bytes are thrown away."""

    def exact(value: Any) -> int:
        try:
            number = int(operator.index(out_of_numpy(value)))
        except TypeError:
            raise Misfit(expected, value) from None
        if not low <= number <= high:
            raise Misfit(expected, value)
        return number

    def fit(values: list[Any], kinds: set[type]) -> list[Any]:
        if kinds == _INT:
            try:
                struct.pack(f"{len(values)}{code}", *values)
                return values
            except struct.error:
                pass
        return [exact(value) for value in values]

    return fit


def _fit_big_integers(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds == _INT:
        return values
    try:
        return [int(operator.index(out_of_numpy(value))) for value in values]
    except TypeError:
        raise _first_misfit(values, operator.index, BasicType.BIG_INT) from None


def _fit_booleans(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds == _BOOL:
        return values
    try:
        return [bool(operator.index(out_of_numpy(value))) for value in values]
    except TypeError:
        raise _first_misfit(values, operator.index, BasicType.BOOLEAN) from None


def _fit_doubles(values: list[Any], kinds: set[type]) -> list[Any]:
    return values if kinds == _FLOAT else [_as_float(value) for value in values]


def _fit_floats(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds != _FLOAT:
        values = [_as_float(value) for value in values]
    form = f"{len(values)}f"
    try:
        rounded = list(struct.unpack(form, struct.pack(form, *values)))
    except OverflowError:
        rounded = [_to_single(value) for value in values]
    return values if rounded == values else rounded


def _to_single(value: float) -> float:
    """The nearest number of 32 bits; what is too large becomes infinite."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _as_float(value: Any) -> float:
    value = out_of_numpy(value)
    if not hasattr(type(value), "__float__") and not hasattr(type(value), "__index__"):
        raise Misfit("a number", value)
    return float(value)


def _fit_strings(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds == _STR:
        return values
    for value in values:
        if not isinstance(value, str):
            raise Misfit(_EXPECTATIONS[BasicType.STRING], value)
    return [str.__str__(value) for value in values]


def _fit_characters(values: list[Any], kinds: set[type]) -> list[Any]:
    values = _fit_strings(values, kinds)
    if set(map(len, values)) != {1}:
        raise Misfit(_EXPECTATIONS[BasicType.CHAR], next(value for value in values if len(value) != 1))
    return values


def _fit_decimals(values: list[Any], kinds: set[type]) -> list[Any]:
    from decimal import Decimal, InvalidOperation

    if kinds == {Decimal}:
        return values
    fitted = []
    for value in values:
        try:
            fitted.append(value if type(value) is Decimal else Decimal(str(out_of_numpy(value))))
        except InvalidOperation:
            raise Misfit(_EXPECTATIONS[BasicType.BIG_DEC], value) from None
    return fitted


def _fit_instants(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds != {Instant}:
        for value in values:
            if not isinstance(value, Instant):
                raise Misfit(_EXPECTATIONS[BasicType.INSTANT], value)
    return values


def _fit_date(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds == _DATE:
        return values
    fitted = []
    for value in map(out_of_numpy, values):
        if not isinstance(value, date):
            raise Misfit("a datetime.date", value)
        fitted.append(date(value.year, value.month, value.day))
    return fitted


def _fit_time(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds != _TIME:
        for value in values:
            if not isinstance(value, time):
                raise Misfit("a datetime.time", value)
    return values


def _fit_datetime(values: list[Any], kinds: set[type]) -> list[Any]:
    if kinds == _DATETIME:
        return values
    values = [out_of_numpy(value) for value in values]
    for value in values:
        if not isinstance(value, datetime):
            raise Misfit("a datetime.datetime", value)
    return values


def _first_misfit(values: list[Any], accept: Callable[[Any], object], basic_type: BasicType) -> Misfit:
    for value in values:
        try:
            accept(out_of_numpy(value))
        except TypeError:
            return Misfit(_EXPECTATIONS[basic_type], value)
    raise AssertionError("every value fits by itself, but not all together")


_INT, _BOOL, _FLOAT, _STR = {int}, {bool}, {float}, {str}
_DATE, _TIME, _DATETIME = {date}, {time}, {datetime}

_NULLABLE = frozenset({BasicType.STRING, BasicType.BIG_INT, BasicType.BIG_DEC, BasicType.INSTANT})

_EXPECTATIONS = {
    BasicType.STRING: "a str",
    BasicType.BYTE: "an integer from -128 to 127",
    BasicType.BOOLEAN: "a bool",
    BasicType.SHORT: "an integer from -32768 to 32767",
    BasicType.INT: "an integer from -2147483648 to 2147483647",
    BasicType.LONG: "an integer from -9223372036854775808 to 9223372036854775807",
    BasicType.FLOAT: "a number",
    BasicType.DOUBLE: "a number",
    BasicType.CHAR: "a str of one character",
    BasicType.BIG_INT: "an integer",
    BasicType.BIG_DEC: "a decimal number",
    BasicType.INSTANT: "an Instant",
}

_EXACT = {
    BasicType.STRING: "str",
    BasicType.BOOLEAN: "bool",
    BasicType.DOUBLE: "float",
    BasicType.BIG_INT: "int",
    BasicType.INSTANT: "Instant",
}
_LARGEST_FLOAT = "3.4028234663852886e38"
_BITS = {BasicType.BYTE: 8, BasicType.SHORT: 16, BasicType.INT: 32, BasicType.LONG: 64}

_FITS: dict[BasicType, Callable[[list[Any], set[type]], list[Any]]] = {
    BasicType.STRING: _fit_strings,
    BasicType.BYTE: _fit_integers("b", -(2**7), 2**7 - 1, _EXPECTATIONS[BasicType.BYTE]),
    BasicType.BOOLEAN: _fit_booleans,
    BasicType.SHORT: _fit_integers("h", -(2**15), 2**15 - 1, _EXPECTATIONS[BasicType.SHORT]),
    BasicType.INT: _fit_integers("i", -(2**31), 2**31 - 1, _EXPECTATIONS[BasicType.INT]),
    BasicType.LONG: _fit_integers("q", -(2**63), 2**63 - 1, _EXPECTATIONS[BasicType.LONG]),
    BasicType.FLOAT: _fit_floats,
    BasicType.DOUBLE: _fit_doubles,
    BasicType.CHAR: _fit_characters,
    BasicType.BIG_INT: _fit_big_integers,
    BasicType.BIG_DEC: _fit_decimals,
    BasicType.INSTANT: _fit_instants,
}


def _basic(basic_type: BasicType) -> BasicTypeInfo:
    """The one type of its kind; types are values, so that everybody can share it."""
    return _SHARED[basic_type]


_SHARED = {basic_type: BasicTypeInfo(basic_type) for basic_type in BasicType}
