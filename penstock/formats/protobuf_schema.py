"""Which messages of Protobuf there are, and the row type that fits them. Needs the extra ``protobuf``."""

from pathlib import Path
from typing import Any

from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.types import Types
from penstock.errors import OutsideError, ProgramError
from penstock.formats.extras import require


class ProtobufSchema:
    """A message type: the class that ``protoc`` has made, or a name in a descriptor set.

    ``protoc --include_imports --descriptor_set_out=orders.desc orders.proto`` writes such a set. A schema travels with the
    program: as the name of its class where workers can import that, otherwise as a descriptor set.
    """

    def __init__(self, message_class: Any) -> None:
        descriptor = getattr(message_class, "DESCRIPTOR", None)
        if not isinstance(message_class, type) or not hasattr(descriptor, "fields_by_name"):
            raise ProgramError(
                f"a class that protoc has made is expected, not {message_class!r}; "
                "ProtobufSchema.from_descriptor_set takes what protoc --descriptor_set_out writes"
            )
        self.message_class: Any = message_class

    @staticmethod
    def of(message_type: Any) -> "ProtobufSchema":
        """The schema itself, or that of a class that ``protoc`` has made."""
        return message_type if isinstance(message_type, ProtobufSchema) else ProtobufSchema(message_type)

    @staticmethod
    def from_descriptor_set(descriptor_set: bytes | str, name: str) -> "ProtobufSchema":
        """The message of a full name, such as ``shop.Order``, in a descriptor set: its bytes, or the path of a file.

        :raises ProgramError: when it is no descriptor set, or has no such message.
        """
        pools = require("google.protobuf.descriptor_pool", "protobuf", "Protobuf")
        messages = require("google.protobuf.message", "protobuf", "Protobuf")
        if isinstance(descriptor_set, str):
            descriptor_set = _read(descriptor_set)
        files = require("google.protobuf.descriptor_pb2", "protobuf", "Protobuf").FileDescriptorSet()
        pool = pools.DescriptorPool()
        try:
            files.ParseFromString(descriptor_set)
            for file in files.file:
                pool.Add(file)
            descriptor = pool.FindMessageTypeByName(name)
        except (messages.DecodeError, TypeError) as error:
            raise ProgramError(
                f"the descriptor set cannot be read: {error}; write it with protoc --include_imports"
            ) from error
        except KeyError:
            known = [
                f"{file.package}.{kind.name}".lstrip(".") for file in files.file for kind in file.message_type
            ]
            raise ProgramError(
                f"there is no message {name!r} in the descriptor set; it has {', '.join(known)}"
            ) from None
        factory = require("google.protobuf.message_factory", "protobuf", "Protobuf")
        return ProtobufSchema(factory.GetMessageClass(descriptor))

    @property
    def name(self) -> str:
        """The full name of the message."""
        return str(self.message_class.DESCRIPTOR.full_name)

    def row_type(self) -> RowTypeInfo:
        """The type of rows that have all fields of the message. Enums are the names of their values.

        :raises ProgramError: when a message contains itself, as no row type does.
        """
        return _row_type(self.message_class.DESCRIPTOR, ())

    def descriptor_set(self) -> bytes:
        """The message, and all that it refers to, as a descriptor set."""
        files = require("google.protobuf.descriptor_pb2", "protobuf", "Protobuf").FileDescriptorSet()
        _add_file(self.message_class.DESCRIPTOR.file, files, set())
        found: bytes = files.SerializeToString()
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProtobufSchema) and (
            self.message_class is other.message_class
            or (self.name == other.name and self.descriptor_set() == other.descriptor_set())
        )

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"ProtobufSchema({self.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        if _can_be_imported(self.message_class):
            return (ProtobufSchema, (self.message_class,))
        return (ProtobufSchema.from_descriptor_set, (self.descriptor_set(), self.name))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise OutsideError(f"the descriptor set {path} cannot be read: {error.strerror}") from error


def is_map(field: Any) -> bool:
    """Whether a field of a descriptor is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def is_repeated(field: Any) -> bool:
    """Whether a field of a descriptor is a list, or a map."""
    found = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if found is None else found)


def _can_be_imported(kind: type) -> bool:
    import sys

    found: Any = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind and kind.__module__ != "__main__"


def _add_file(file: Any, files: Any, seen: set[str]) -> None:
    """Add a file behind those that it depends on."""
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add_file(dependency, files, seen)
    file.CopyToProto(files.file.add())


def _row_type(descriptor: Any, around: tuple[str, ...]) -> RowTypeInfo:
    if descriptor.full_name in around:
        raise ProgramError(
            f"the message {descriptor.full_name} contains itself, which no row type does; "
            "leave that field out of a row type of your own, or take the messages as they are"
        )
    inside = (*around, descriptor.full_name)
    names = [field.name for field in descriptor.fields]
    return Types.ROW_NAMED(names, [_type_of(field, inside) for field in descriptor.fields])


def _type_of(field: Any, around: tuple[str, ...]) -> TypeInformation:
    if is_map(field):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        return Types.MAP(_single(key, around), _single(value, around))
    single = _single(field, around)
    return Types.LIST(single) if is_repeated(field) else single


def _single(field: Any, around: tuple[str, ...]) -> TypeInformation:
    if field.message_type is not None:
        return _row_type(field.message_type, around)
    if field.type == field.TYPE_BYTES:
        return Types.PRIMITIVE_ARRAY(Types.BYTE())
    return {
        field.CPPTYPE_INT32: Types.INT(),
        field.CPPTYPE_INT64: Types.LONG(),
        field.CPPTYPE_UINT32: Types.LONG(),
        field.CPPTYPE_UINT64: Types.BIG_INT(),
        field.CPPTYPE_DOUBLE: Types.DOUBLE(),
        field.CPPTYPE_FLOAT: Types.FLOAT(),
        field.CPPTYPE_BOOL: Types.BOOLEAN(),
        field.CPPTYPE_ENUM: Types.STRING(),
        field.CPPTYPE_STRING: Types.STRING(),
    }[field.cpp_type]
