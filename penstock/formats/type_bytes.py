"""Values of declared types as the bytes that Flink's own serializers write for them, and back.

Numbers are big-endian, as Java's ``DataOutput`` has them. What may be None has a mark of its own: the length of a text is
counted from 1, a row begins with a bit for each field. Dates and times stand in UTC. The forms were compared with those of
Apache Flink 2.3.
"""

import pickle
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.row import RowKind, new_row
from penstock.data.time import Instant
from penstock.data.type_collections import (
    BasicArrayTypeInfo,
    ListTypeInfo,
    MapTypeInfo,
    PrimitiveArrayTypeInfo,
)
from penstock.data.type_composites import ExternalTypeInfo, RowTypeInfo, TupleTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_scalars import (
    BasicType,
    BasicTypeInfo,
    DateTypeInfo,
    PickledBytesTypeInfo,
    TimestampTypeInfo,
    TimeTypeInfo,
)
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.formats.unreadable import unreadable

Write = Callable[[Any, bytearray], None]
Read = Callable[[memoryview, int], tuple[Any, int]]
Codec = tuple[Write, Read]
"""What appends a value to bytes, and what reads one from a position, with the position behind it."""


class TypeInformationSerializationSchema(SerializationSchema, DeserializationSchema):
    """Values of a declared type in Flink's binary form, say for a topic between two jobs.

    >>> schema = TypeInformationSerializationSchema(Types.TUPLE([Types.INT(), Types.STRING()]))
    >>> schema.serialize((5, "a"))
    b'\\x00\\x00\\x00\\x05\\x02a'
    >>> schema.deserialize(schema.serialize((5, "a")))
    (5, 'a')

    Values of PICKLED_BYTE_ARRAY are pickled, as PyFlink does: declare it only for messages of those whom you trust.
    """

    def __init__(self, type_info: TypeInformation) -> None:
        if not isinstance(type_info, TypeInformation):
            raise ProgramError(f"a type of Types is expected, such as Types.INT(), not {type_info!r}")
        self._type_info = type_info
        self._write, self._read = codec_of(type_info)

    def serialize(self, element: Any) -> bytes:
        found = self.serialize_batch([element])[0]
        assert found is not None
        return found

    def serialize_batch(self, elements: list[Any]) -> list[bytes | None]:
        written: list[bytes | None] = []
        for value in self._type_info.convert_batch(elements):
            target = bytearray()
            self._write(value, target)
            written.append(bytes(target))
        return written

    def deserialize(self, message: bytes) -> Any:
        try:
            value, end = self._read(memoryview(message), 0)
            if end != len(message):
                raise ValueError(
                    f"{len(message) - end} bytes are left behind a value of type {self._type_info}"
                )
        except (
            struct.error,
            ValueError,
            IndexError,
            OverflowError,
            pickle.UnpicklingError,
            EOFError,
        ) as error:
            raise unreadable(message, error) from error
        return value

    def get_produced_type(self) -> TypeInformation:
        return self._type_info

    def __reduce__(self) -> tuple[Any, ...]:
        return (TypeInformationSerializationSchema, (self._type_info,))


def codec_of(type_info: TypeInformation) -> Codec:
    """What writes and reads values of a type.

    :raises ProgramError: for a type that has no binary form.
    """
    match type_info:
        case BasicTypeInfo():
            return _BASIC[type_info.basic_type]
        case RowTypeInfo():
            return _row(type_info)
        case TupleTypeInfo():
            return _tuple([codec_of(kind) for kind in type_info.get_field_types()])
        case MapTypeInfo():
            return _map(codec_of(type_info.key_type), _with_flag(codec_of(type_info.value_type), none=1))
        case PickledBytesTypeInfo():
            return _pickled()
        case DateTypeInfo() | TimeTypeInfo() | TimestampTypeInfo():
            return _TIMES[type(type_info)]
        case ExternalTypeInfo():
            return codec_of(type_info.type_info)
    if type_info == Types.PRIMITIVE_ARRAY(Types.BYTE()):
        return _bytes()
    element = getattr(type_info, "element_type", None)
    if element is None:
        raise ProgramError(f"{type_info} has no binary form of Flink's; declare the field with another type")
    codec = codec_of(element)
    if isinstance(type_info, (PrimitiveArrayTypeInfo, ListTypeInfo)):
        return _sequence(codec)
    if isinstance(type_info, BasicArrayTypeInfo) and element == Types.STRING():
        return _sequence(codec)
    return _sequence(_with_flag(codec, none=0))


def _packed(form: str) -> Codec:
    packer = struct.Struct(f">{form}")

    def write(value: Any, target: bytearray) -> None:
        target += packer.pack(value)

    def read(source: memoryview, at: int) -> tuple[Any, int]:
        return packer.unpack_from(source, at)[0], at + packer.size

    return write, read


_write_int, _read_int = _packed("i")


def _write_varying(number: int, target: bytearray) -> None:
    """Seven bits a byte, the lowest first; the high bit says that more follow."""
    while number >= 0x80:
        target.append(number & 0x7F | 0x80)
        number >>= 7
    target.append(number)


def _read_varying(source: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = source[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _write_text(value: str | None, target: bytearray) -> None:
    if value is None:
        target.append(0)
        return
    # Characters are those of Java: two for what does not fit 16 bits.
    encoded = value.encode("utf-16-le", "surrogatepass")
    units = struct.unpack(f"<{len(encoded) // 2}H", encoded)
    _write_varying(len(units) + 1, target)
    for unit in units:
        _write_varying(unit, target)


def _read_text(source: memoryview, at: int) -> tuple[str | None, int]:
    length, at = _read_varying(source, at)
    if length == 0:
        return None, at
    units = []
    for _ in range(length - 1):
        unit, at = _read_varying(source, at)
        units.append(unit)
    return struct.pack(f"<{len(units)}H", *units).decode("utf-16-le", "surrogatepass"), at


# Lengths of big integers are counted from 4; what is below stands for None and for three values that come often.
_SHORT_FORMS = {0: 1, 1: 2, 10: 3}
_OF_SHORT_FORMS = {0: None, 1: 0, 2: 1, 3: 10}


def _write_big(value: int | None, target: bytearray) -> None:
    if value is None or value in _SHORT_FORMS:
        _write_int(0 if value is None else _SHORT_FORMS[value], target)
        return
    length = (value + (value < 0)).bit_length() // 8 + 1
    _write_int(length + 4, target)
    target += value.to_bytes(length, "big", signed=True)


def _read_big(source: memoryview, at: int) -> tuple[int | None, int]:
    length, at = _read_int(source, at)
    if length in _OF_SHORT_FORMS:
        return _OF_SHORT_FORMS[length], at
    end = at + length - 4
    if length < 4 or end > len(source):
        raise ValueError(f"a number of {length - 4} bytes is announced, which are not there")
    return int.from_bytes(source[at:end], "big", signed=True), end


def _write_decimal(value: Any, target: bytearray) -> None:
    if value is None:
        _write_big(None, target)
        return
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ProgramError(f"{value} is no decimal number that Flink could hold")
    unscaled = int("".join(map(str, digits)))
    _write_big(-unscaled if sign else unscaled, target)
    _write_int(-exponent, target)


def _read_decimal(source: memoryview, at: int) -> tuple[Any, int]:
    from decimal import Decimal

    unscaled, at = _read_big(source, at)
    if unscaled is None:
        return None, at
    scale, at = _read_int(source, at)
    return Decimal(f"{unscaled}E{-scale}"), at


def _write_character(value: str, target: bytearray) -> None:
    target += value.encode("utf-16-be")[:2]


def _read_character(source: memoryview, at: int) -> tuple[str, int]:
    return bytes(source[at : at + 2]).decode("utf-16-be"), at + 2


_NO_TIME = -(2**63)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (Flink's dates and times have no zone)
_MOMENT = struct.Struct(">qi")


def _as_milliseconds(to_ms: Callable[[Any], int], from_ms: Callable[[int], Any]) -> Codec:
    """Java's dates and times: milliseconds, and the lowest number for None."""
    write_long, read_long = _packed("q")

    def write(value: Any, target: bytearray) -> None:
        write_long(_NO_TIME if value is None else to_ms(value), target)

    def read(source: memoryview, at: int) -> tuple[Any, int]:
        found, at = read_long(source, at)
        return (None if found == _NO_TIME else from_ms(found)), at

    return write, read


def _time_ms(value: time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def _write_timestamp(value: datetime | None, target: bytearray) -> None:
    if value is None:
        target += _MOMENT.pack(_NO_TIME, 0)
        return
    milliseconds = (value - _EPOCH) // timedelta(milliseconds=1)
    target += _MOMENT.pack(milliseconds, value.microsecond * 1000)


def _read_timestamp(source: memoryview, at: int) -> tuple[datetime | None, int]:
    milliseconds, nanos = _MOMENT.unpack_from(source, at)
    if milliseconds == _NO_TIME:
        return None, at + _MOMENT.size
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(microsecond=nanos // 1000), at + _MOMENT.size


def _write_instant(value: Instant | None, target: bytearray) -> None:
    target += _MOMENT.pack(_NO_TIME, 0) if value is None else _MOMENT.pack(value.seconds, value.nanos)


def _read_instant(source: memoryview, at: int) -> tuple[Instant | None, int]:
    seconds, nanos = _MOMENT.unpack_from(source, at)
    return (None if seconds == _NO_TIME else Instant(seconds, nanos)), at + _MOMENT.size


def _bytes() -> Codec:
    def write(value: bytes, target: bytearray) -> None:
        _write_int(len(value), target)
        target += value

    def read(source: memoryview, at: int) -> tuple[bytes, int]:
        length, at = _read_int(source, at)
        if length < 0 or at + length > len(source):
            raise ValueError(f"{length} bytes are announced, {len(source) - at} are there")
        return bytes(source[at : at + length]), at + length

    return write, read


def _pickled() -> Codec:
    write_bytes, read_bytes = _bytes()

    def write(value: Any, target: bytearray) -> None:
        write_bytes(pickle.dumps(value), target)

    def read(source: memoryview, at: int) -> tuple[Any, int]:
        found, at = read_bytes(source, at)
        return pickle.loads(found), at

    return write, read


def _with_flag(codec: Codec, *, none: int) -> Codec:
    """A value behind a byte that says whether it is None."""
    write_value, read_value = codec

    def write(value: Any, target: bytearray) -> None:
        target.append(none if value is None else 1 - none)
        if value is not None:
            write_value(value, target)

    def read(source: memoryview, at: int) -> tuple[Any, int]:
        return (None, at + 1) if source[at] == none else read_value(source, at + 1)

    return write, read


def _sequence(codec: Codec) -> Codec:
    write_element, read_element = codec

    def write(values: Any, target: bytearray) -> None:
        _write_int(len(values), target)
        for value in values:
            if value is None and write_element in _WITHOUT_NONE:
                raise ProgramError(f"None cannot be written among {values!r}; declare a BASIC_ARRAY")
            write_element(value, target)

    def read(source: memoryview, at: int) -> tuple[list[Any], int]:
        length, at = _read_int(source, at)
        values = []
        for _ in range(length):
            value, at = read_element(source, at)
            values.append(value)
        return values, at

    return write, read


def _map(key: Codec, value: Codec) -> Codec:
    def write(pairs: Any, target: bytearray) -> None:
        _write_int(len(pairs), target)
        for name, item in pairs.items():
            key[0](name, target)
            value[0](item, target)

    def read(source: memoryview, at: int) -> tuple[dict[Any, Any], int]:
        length, at = _read_int(source, at)
        pairs = {}
        for _ in range(length):
            name, at = key[1](source, at)
            pairs[name], at = value[1](source, at)
        return pairs, at

    return write, read


def _tuple(codecs: list[Codec]) -> Codec:
    def write(values: Any, target: bytearray) -> None:
        for (write_field, _), value in zip(codecs, values, strict=True):
            write_field(value, target)

    def read(source: memoryview, at: int) -> tuple[tuple[Any, ...], int]:
        values = []
        for _, read_field in codecs:
            value, at = read_field(source, at)
            values.append(value)
        return tuple(values), at

    return write, read


def _row(row_type: RowTypeInfo) -> Codec:
    """Two bits for the kind, one for each field that is None, filled up to bytes; then the fields that are there."""
    names = row_type.get_field_names()
    codecs = [codec_of(kind) for kind in row_type.get_field_types()]
    width = (len(codecs) + 2 + 7) // 8

    def write(row: Any, target: bytearray) -> None:
        kind = row.get_row_kind().value
        bits = [kind & 1, kind >> 1, *(value is None for value in row)]
        mask = sum(1 << (width * 8 - 1 - place) for place, bit in enumerate(bits) if bit)
        target += mask.to_bytes(width, "big")
        for (write_field, _), value in zip(codecs, row, strict=True):
            if value is not None:
                write_field(value, target)

    def read(source: memoryview, at: int) -> tuple[Any, int]:
        if at + width > len(source):
            raise ValueError("a row is announced that is not there")
        mask = int.from_bytes(source[at : at + width], "big")
        at += width
        bits = [mask >> (width * 8 - 1 - place) & 1 for place in range(len(codecs) + 2)]
        values: list[Any] = []
        for (_, read_field), is_none in zip(codecs, bits[2:], strict=True):
            value, at = (None, at) if is_none else read_field(source, at)
            values.append(value)
        return new_row(values, names, RowKind(bits[0] | bits[1] << 1)), at

    return write, read


_BASIC: dict[BasicType, Codec] = {
    BasicType.STRING: (_write_text, _read_text),
    BasicType.BYTE: _packed("b"),
    BasicType.BOOLEAN: _packed("?"),
    BasicType.SHORT: _packed("h"),
    BasicType.INT: (_write_int, _read_int),
    BasicType.LONG: _packed("q"),
    BasicType.FLOAT: _packed("f"),
    BasicType.DOUBLE: _packed("d"),
    BasicType.CHAR: (_write_character, _read_character),
    BasicType.BIG_INT: (_write_big, _read_big),
    BasicType.BIG_DEC: (_write_decimal, _read_decimal),
    BasicType.INSTANT: (_write_instant, _read_instant),
}
_WITHOUT_NONE = {
    _BASIC[kind][0]
    for kind in BasicType
    if kind not in (BasicType.STRING, BasicType.BIG_INT, BasicType.BIG_DEC, BasicType.INSTANT)
}
_TIMES: dict[type, Codec] = {
    DateTypeInfo: _as_milliseconds(
        lambda day: (day.toordinal() - _EPOCH.toordinal()) * 86_400_000,
        lambda found: date.fromordinal(_EPOCH.toordinal() + found // 86_400_000),
    ),
    TimeTypeInfo: _as_milliseconds(_time_ms, lambda found: (_EPOCH + timedelta(milliseconds=found)).time()),
    TimestampTypeInfo: (_write_timestamp, _read_timestamp),
}
