"""Protobuf: schemas of messages, as objects of their classes or as rows. Needs the extra ``protobuf``.

Flink has Protobuf as a format of tables; ``ignore_parse_errors`` and ``read_default_values`` are options of it.
"""

from collections.abc import Callable
from typing import Any

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.row import Row
from penstock.data.type_collections import MapTypeInfo
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation, shortened
from penstock.data.types import Types
from penstock.errors import ProgramError, TypeMismatch
from penstock.formats.extras import require
from penstock.formats.protobuf_schema import ProtobufSchema, is_map, is_repeated
from penstock.formats.unreadable import unreadable

Convert = Callable[[Any], Any]

# Kinds of integers that an enum can be read as, instead of the name of its value.
_INTEGERS = (Types.INT(), Types.LONG(), Types.BIG_INT())


class ProtobufDeserializationSchema(DeserializationSchema):
    """Messages as objects of the class that ``protoc`` has made for them.

    ``message_type``: that class, or a ProtobufSchema. To send such objects on to other workers, these have to be able to
    import the class.
    """

    def __init__(self, message_type: Any, ignore_parse_errors: bool = False) -> None:
        self._schema = ProtobufSchema.of(message_type)
        self._ignore = ignore_parse_errors
        self._errors = (require("google.protobuf.message", "protobuf", "Protobuf").DecodeError, TypeError)

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        try:
            return self._value(self._schema.message_class.FromString(message))
        except self._errors as error:
            if self._ignore:
                return None
            raise unreadable(message, error) from error

    def _value(self, parsed: Any) -> Any:
        return parsed

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._schema, self._ignore))


class ProtobufRowDeserializationSchema(ProtobufDeserializationSchema):
    """Messages as rows of a declared type, or of all their fields.

    ``row_type``: fields by the names that they have in the message; an enum is a STRING, or an INT. Fields that are not in
    a message are None where Protobuf can tell, or with ``read_default_values`` their default.

    >>> from google.protobuf.timestamp_pb2 import Timestamp
    >>> schema = ProtobufRowDeserializationSchema(Timestamp)
    >>> schema.deserialize(Timestamp(seconds=5).SerializeToString())
    Row(seconds=5, nanos=0)
    """

    def __init__(
        self,
        message_type: Any,
        row_type: RowTypeInfo | None = None,
        ignore_parse_errors: bool = False,
        read_default_values: bool = False,
    ) -> None:
        super().__init__(message_type, ignore_parse_errors)
        self._defaults = read_default_values
        self._row_type = self._schema.row_type() if row_type is None else _checked_type(row_type)
        self._read = _message_reader(
            self._schema.message_class.DESCRIPTOR, self._row_type, read_default_values
        )

    def _value(self, parsed: Any) -> Any:
        return self._row_type.convert(self._read(parsed))

    def get_produced_type(self) -> TypeInformation:
        return self._row_type

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._schema, self._row_type, self._ignore, self._defaults))


class ProtobufSerializationSchema(SerializationSchema):
    """Values as messages: objects of the class of the message, or rows, dicts and tuples with its fields.

    Fields that are None, or not there, are left out of the message. An enum is the name or the number of its value.

    >>> from google.protobuf.timestamp_pb2 import Timestamp
    >>> ProtobufSerializationSchema(Timestamp).serialize({"seconds": 5})
    b'\\x08\\x05'
    """

    def __init__(self, message_type: Any) -> None:
        self._schema = ProtobufSchema.of(message_type)
        self._write = _message_writer(self._schema.message_class.DESCRIPTOR)
        self._errors = (require("google.protobuf.message", "protobuf", "Protobuf").EncodeError,)

    def serialize(self, element: Any) -> bytes:
        made = element
        try:
            if not isinstance(element, self._schema.message_class):
                made = self._schema.message_class()
                self._write(element, made)
            found: bytes = made.SerializeToString()
        except (*self._errors, TypeError, ValueError, AttributeError) as error:
            raise TypeMismatch(
                f"{shortened(element)} does not fit the message {self._schema.name}: {error}"
            ) from error
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._schema,))


def _checked_type(row_type: Any) -> RowTypeInfo:
    if not isinstance(row_type, RowTypeInfo):
        raise ProgramError(f"row_type is a row type of Types, not {row_type!r}")
    return row_type


def _message_reader(descriptor: Any, row_type: RowTypeInfo, defaults: bool) -> Convert:
    """What makes the values of the fields of a row of a message."""
    readers = []
    for name, kind in zip(row_type.get_field_names(), row_type.get_field_types(), strict=True):
        field = descriptor.fields_by_name.get(name)
        if field is None:
            known = ", ".join(field.name for field in descriptor.fields)
            raise ProgramError(f"the message {descriptor.full_name} has no field {name!r}; it has {known}")
        readers.append((name, field.has_presence and not defaults, _field_reader(field, kind, defaults)))

    def read(message: Any) -> list[Any]:
        return [
            None if optional and not message.HasField(name) else convert(getattr(message, name))
            for name, optional, convert in readers
        ]

    return read


def _field_reader(field: Any, kind: TypeInformation, defaults: bool) -> Convert:
    if is_map(field):
        if not isinstance(kind, MapTypeInfo):
            raise _wrong_type(field, kind, "MAP")
        parts = field.message_type.fields_by_name
        key = _single_reader(parts["key"], kind.key_type, defaults)
        value = _single_reader(parts["value"], kind.value_type, defaults)
        return lambda found: {key(name): value(item) for name, item in found.items()}
    if is_repeated(field):
        element = getattr(kind, "element_type", None)
        if element is None:
            raise _wrong_type(field, kind, "LIST")
        convert = _single_reader(field, element, defaults)
        return lambda found: list(map(convert, found))
    return _single_reader(field, kind, defaults)


def _single_reader(field: Any, kind: TypeInformation, defaults: bool) -> Convert:
    if field.message_type is not None:
        if not isinstance(kind, RowTypeInfo):
            raise _wrong_type(field, kind, "ROW")
        return _message_reader(field.message_type, kind, defaults)
    if field.enum_type is not None and kind not in _INTEGERS:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, str(number))
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _wrong_type(field: Any, kind: TypeInformation, wanted: str) -> ProgramError:
    return ProgramError(f"the field {field.full_name} is read as a {wanted} of Types, not as {kind}")


def _message_writer(descriptor: Any) -> Callable[[Any, Any], None]:
    """What sets the fields of a message to those of a row, dict or tuple."""
    writers: dict[str, Callable[[Any, Any], None]] = {}

    def write(value: Any, message: Any) -> None:
        for name, part in _named_fields(value, descriptor):
            if part is None:
                continue
            if name not in writers:
                field = descriptor.fields_by_name.get(name)
                if field is None:
                    raise ValueError(f"there is no field {name!r}")
                writers[name] = _field_writer(field)
            try:
                writers[name](part, message)
            except (TypeError, ValueError) as error:
                raise ValueError(f"field {name}: {error}") from error

    return write


def _named_fields(value: Any, descriptor: Any) -> Any:
    if isinstance(value, Row) and value._names is not None:
        return zip(value._names, value._values, strict=True)
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, (Row, tuple, list)):
        names = getattr(value, "_fields", None) or [field.name for field in descriptor.fields]
        if len(names) != len(value):
            raise ValueError(f"it has {len(value)} fields, the message has {len(names)}")
        return zip(names, value, strict=True)
    if hasattr(value, "__dict__"):
        return vars(value).items()
    raise TypeError(f"a row, dict, tuple or object with fields is expected, not {type(value).__name__}")


def _field_writer(field: Any) -> Callable[[Any, Any], None]:
    name = field.name
    if is_map(field):
        return _map_writer(field)
    if field.message_type is not None:
        return _inner_writer(field)
    convert = _enum_number(field) if field.enum_type is not None else _as_it_is
    if is_repeated(field):
        return lambda parts, message: getattr(message, name).extend(map(convert, parts))
    return lambda part, message: setattr(message, name, convert(part))


def _inner_writer(field: Any) -> Callable[[Any, Any], None]:
    write = _message_writer(field.message_type)

    def write_one(part: Any, message: Any) -> None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        write(part, inner)

    def write_all(parts: Any, message: Any) -> None:
        for part in parts:
            write(part, getattr(message, field.name).add())

    return write_all if is_repeated(field) else write_one


def _map_writer(field: Any) -> Callable[[Any, Any], None]:
    of_value = field.message_type.fields_by_name["value"]
    write = None if of_value.message_type is None else _message_writer(of_value.message_type)
    convert = _enum_number(of_value) if of_value.enum_type is not None else _as_it_is

    def write_map(parts: Any, message: Any) -> None:
        entries = getattr(message, field.name)
        for key, part in parts.items():
            if write is None:
                entries[key] = convert(part)
            else:
                write(part, entries[key])

    return write_map


def _enum_number(field: Any) -> Convert:
    numbers = {value.name: value.number for value in field.enum_type.values}

    def number_of(value: Any) -> Any:
        if isinstance(value, str):
            if value not in numbers:
                raise ValueError(f"{value!r} is none of {', '.join(numbers)}")
            return numbers[value]
        return int(value)

    return number_of
