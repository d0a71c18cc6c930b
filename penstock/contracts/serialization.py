"""How values become bytes at the borders of a program, and bytes values; PyFlink's names, with Java's methods in them."""

import codecs
from abc import ABC, abstractmethod
from io import BytesIO
from typing import Any, BinaryIO, Final, Generic, TypeVar

from penstock.data.text_forms import file_form
from penstock.data.type_information import shortened
from penstock.data.types import TypeInformation, Types
from penstock.errors import ProgramError, TypeMismatch

T = TypeVar("T")

# Texts whose bytes may come in two orders: what Java writes before them, and how it reads those without a mark.
_AS_IN_JAVA: Final = {"utf-16": (codecs.BOM_UTF16_BE, "utf-16-be"), "utf-32": (b"", "utf-32-be")}
_MARKS: Final = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}


class SerializationSchema(ABC):
    """Turns values into bytes, for sinks of messages."""

    def open(self) -> None:  # noqa: B027
        """Called once per subtask before the first value."""

    @abstractmethod
    def serialize(self, element: Any) -> bytes | None:
        """The bytes of a value; None for a message without any."""

    def serialize_batch(self, elements: list[Any]) -> list[bytes | None]:
        """The bytes of many values, for sinks that write batches."""
        return list(map(self.serialize, elements))


class DeserializationSchema(ABC):
    """Turns bytes into values, for sources of messages."""

    def open(self) -> None:  # noqa: B027
        """Called once per subtask before the first message."""

    @abstractmethod
    def deserialize(self, message: bytes) -> Any:
        """The value of a message; None leaves it out."""

    def deserialize_batch(self, messages: list[bytes]) -> list[Any]:
        """The values of many messages, without those that are left out."""
        return [value for value in map(self.deserialize, messages) if value is not None]

    def is_end_of_stream(self, next_element: Any) -> bool:
        """Whether the source ends at this value, which is not emitted any more."""
        return False

    def get_produced_type(self) -> TypeInformation | None:
        """The declared type of the values; None where it is open."""
        return None


class SimpleStringSchema(SerializationSchema, DeserializationSchema):
    """Texts in one charset.

    >>> schema = SimpleStringSchema()
    >>> schema.serialize("é"), schema.deserialize(b"abc")
    (b'\\xc3\\xa9', 'abc')
    """

    def __init__(self, charset: str = "UTF-8") -> None:
        self._charset = _checked_charset(charset)
        self._mark, self._unmarked = _AS_IN_JAVA.get(self._charset, (b"", self._charset))

    def serialize(self, element: Any) -> bytes:
        if not isinstance(element, str):
            raise TypeMismatch(
                f"SimpleStringSchema writes str, not {element!r}; map the values to str before"
            )
        try:
            return self._mark + element.encode(self._unmarked)
        except UnicodeEncodeError as error:
            raise TypeMismatch(
                f"{shortened(element)} has a letter that is not in {self._charset}: {error.reason} at position "
                f"{error.start}; give SimpleStringSchema another charset, such as UTF-8"
            ) from error

    def deserialize(self, message: bytes) -> str:
        is_marked = self._charset in _MARKS and message.startswith(_MARKS[self._charset])
        return message.decode(self._charset if is_marked else self._unmarked, "replace")

    def deserialize_batch(self, messages: list[bytes]) -> list[str]:
        if type(self).deserialize is not SimpleStringSchema.deserialize or self._charset in _MARKS:
            return super().deserialize_batch(messages)
        charset = self._charset
        return [message.decode(charset, "replace") for message in messages]

    def get_produced_type(self) -> TypeInformation:
        return Types.STRING()


class ByteArraySchema(SerializationSchema, DeserializationSchema):
    """Bytes as they are."""

    def serialize(self, element: Any) -> bytes:
        if not isinstance(element, (bytes, bytearray)):
            raise TypeMismatch(
                f"ByteArraySchema writes bytes, not {element!r}; map the values to bytes before"
            )
        return bytes(element)

    def deserialize(self, message: bytes) -> bytes:
        return message

    def get_produced_type(self) -> TypeInformation:
        return Types.PRIMITIVE_ARRAY(Types.BYTE())


class RowFieldExtractorSchema(SerializationSchema):
    """One field of a row, which holds bytes; say as the key of a message. A field that is None is no bytes, as in Flink.

    >>> RowFieldExtractorSchema(1).serialize(("a", b"b"))
    b'b'
    """

    def __init__(self, field_index: int) -> None:
        if isinstance(field_index, bool) or not isinstance(field_index, int) or field_index < 0:
            raise ProgramError(f"Field index must be non-negative, got: {field_index!r}")
        self._field_index = field_index

    def serialize(self, element: Any) -> bytes:
        if element is None:
            return b""
        try:
            value = element[self._field_index]
        except IndexError:
            raise TypeMismatch(
                f"there is no field {self._field_index} in {element!r}, which has {len(element)} fields"
            ) from None
        if value is None:
            return b""
        if not isinstance(value, (bytes, bytearray)):
            raise TypeMismatch(f"field {self._field_index} of {element!r} has to be bytes, not {value!r}")
        return bytes(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowFieldExtractorSchema) and self._field_index == other._field_index

    def __hash__(self) -> int:
        return hash((RowFieldExtractorSchema, self._field_index))


class Encoder(ABC):
    """Writes values one behind the other into a file, for file sinks."""

    @abstractmethod
    def encode(self, element: Any, stream: BinaryIO) -> None:
        """Write one value."""

    def encode_batch(self, elements: list[Any], stream: BinaryIO) -> None:
        """Write many values; overridden where that is cheaper."""
        encode = self.encode
        for element in elements:
            encode(element, stream)

    def for_type(self, type_info: TypeInformation | None) -> "Encoder":
        """The encoder for values of a declared type."""
        return self

    @staticmethod
    def simple_string_encoder(charset_name: str = "UTF-8") -> "Encoder":
        """Each value as a line: its text as Java writes it where its type is declared, else as ``print`` does.

        >>> stream = BytesIO()
        >>> Encoder.simple_string_encoder().encode(("a", 1), stream)
        >>> stream.getvalue()
        b"('a', 1)\\n"
        """
        return _LineEncoder(_checked_charset(charset_name), None)


class _LineEncoder(Encoder):
    def __init__(self, charset: str, type_info: TypeInformation | None) -> None:
        self._charset = charset
        self._type_info = type_info
        self._form = file_form(type_info)

    def encode(self, element: Any, stream: BinaryIO) -> None:
        stream.write(f"{self._form(element)}\n".encode(self._charset))

    def encode_batch(self, elements: list[Any], stream: BinaryIO) -> None:
        if elements:
            text = "\n".join(map(self._form, elements))
            stream.write(f"{text}\n".encode(self._charset))

    def for_type(self, type_info: TypeInformation | None) -> Encoder:
        return _LineEncoder(self._charset, type_info)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_LineEncoder, (self._charset, self._type_info))


class TypeSerializer(ABC, Generic[T]):
    """Writes values of one type into a stream of bytes and reads them back."""

    @abstractmethod
    def serialize(self, element: T, stream: BytesIO) -> None:
        """Write one value."""

    @abstractmethod
    def deserialize(self, stream: BytesIO) -> T:
        """Read one value."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class VoidNamespaceSerializer(TypeSerializer[bytes]):
    """Writes nothing, and reads it back."""

    def serialize(self, element: bytes, stream: BytesIO) -> None:
        pass

    def deserialize(self, stream: BytesIO) -> bytes:
        return b""


def _checked_charset(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ProgramError(f"there is no charset {name!r}") from None


__all__ = [
    "ByteArraySchema",
    "DeserializationSchema",
    "Encoder",
    "RowFieldExtractorSchema",
    "SerializationSchema",
    "SimpleStringSchema",
    "TypeSerializer",
    "VoidNamespaceSerializer",
]
