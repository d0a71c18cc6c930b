"""JSON: files of one value per line, and schemas of messages."""

from dataclasses import dataclass, field
from typing import Any

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation, shortened
from penstock.errors import ProgramError, TypeMismatch
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.charsets import check_charset
from penstock.formats.contract import FileAccess, FormatReader
from penstock.formats.json_parsing import JsonParser
from penstock.formats.json_schema import type_of_json_schema
from penstock.formats.json_texts import loosened, text_of_type
from penstock.formats.json_values import text_of_value
from penstock.formats.lines import RecordPerLineReader
from penstock.formats.targets import converter_to, needs_exact_numbers
from penstock.formats.text import StreamFormat
from penstock.formats.unreadable import unreadable


class JsonLinesFormat(StreamFormat):
    """Files with a JSON value in each line; lines without any text are left out.

    ``target``: None for dicts and whatever else stands there, a row type of ``Types``, a dataclass or a pydantic model.

    >>> JsonLinesFormat(on_error="skip").splittable
    True
    """

    splittable = True

    def __init__(self, target: Any = None, on_error: OnError = "fail", charset_name: str = "UTF-8") -> None:
        converter_to(target)
        self._target = target
        self._on_error = check_on_error(on_error)
        self._codec = check_charset(charset_name)

    @property
    def checks_types(self) -> bool:  # type: ignore[override]
        """Rows of a declared type are made by it."""
        return isinstance(self._target, TypeInformation)

    def get_produced_type(self) -> TypeInformation | None:
        return self._target if isinstance(self._target, TypeInformation) else None

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _JsonLines(access, self._codec, self._on_error, self._target)


class _JsonLines(RecordPerLineReader):
    def __init__(self, access: FileAccess, codec: str, on_error: OnError, target: Any) -> None:
        super().__init__(access, codec, "strict", on_error)
        self._convert = converter_to(target)
        self._parser = JsonParser(needs_exact_numbers(target))

    def records(self, lines: list[str]) -> list[Any]:
        return self._convert(self._parser.lines(lines))


class JsonDeserializationSchema(DeserializationSchema):
    """Messages of JSON as dicts, or as objects of a dataclass, of a pydantic model or of a type of ``Types``.

    >>> JsonDeserializationSchema().deserialize(b'{"a": 1}')
    {'a': 1}
    """

    def __init__(
        self, target: Any = None, ignore_parse_errors: bool = False, fail_on_missing_field: bool = False
    ) -> None:
        self._target = target
        self._settings = (target, ignore_parse_errors, fail_on_missing_field)
        self._ignore = ignore_parse_errors
        self._convert = converter_to(target, fail_on_missing_field)
        self._parser = JsonParser(needs_exact_numbers(target))
        self._loosen = loosened(target) if isinstance(target, TypeInformation) else None

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        try:
            return self._converted(self._parser.value(message))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            if self._ignore:
                return None
            raise unreadable(message, error) from error

    def _converted(self, value: Any) -> Any:
        try:
            return self._convert([value])[0]
        except TypeMismatch as mismatch:
            if self._loosen is None:
                raise
            try:
                return self._convert([self._loosen(value)])[0]
            except ValueError:
                raise mismatch from None

    def deserialize_batch(self, messages: list[bytes]) -> list[Any]:
        try:
            values = self._convert(self._parser.messages(messages))
        except (ValueError, TypeError, LookupError, ArithmeticError):
            return super().deserialize_batch(messages)
        return [value for value in values if value is not None]

    def get_produced_type(self) -> TypeInformation | None:
        return self._target if isinstance(self._target, TypeInformation) else None

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._settings)


class JsonSerializationSchema(SerializationSchema):
    """Values as JSON: dicts, lists, rows, dataclasses, pydantic models, dates, decimals, and bytes in base64.

    >>> JsonSerializationSchema().serialize({"a": [1, None]})
    b'{"a":[1,null]}'
    """

    def serialize(self, element: Any) -> bytes:
        try:
            return text_of_value(element).encode()
        except (TypeError, ValueError) as error:
            raise TypeMismatch(f"{shortened(element)} cannot be written as JSON: {error}") from error


@dataclass
class _ReadingChoices:
    type_info: TypeInformation | None = None
    fail_on_missing_field: bool = False
    ignore_parse_errors: bool = False


class JsonRowDeserializationSchema(JsonDeserializationSchema):
    """Messages that are JSON objects, as rows of a declared type; ``builder`` makes it.

    >>> from penstock.data.types import Types
    >>> rows = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
    >>> JsonRowDeserializationSchema.builder().type_info(rows).build().deserialize(b'{"a": 1}')
    Row(a=1, b=None)
    """

    @staticmethod
    def builder() -> "JsonRowDeserializationSchema.Builder":
        """Begin a schema."""
        return JsonRowDeserializationSchema.Builder()

    @dataclass
    class Builder:
        """Collects the settings."""

        _choices: _ReadingChoices = field(default_factory=_ReadingChoices)

        def type_info(self, type_info: TypeInformation) -> "JsonRowDeserializationSchema.Builder":
            """Say what rows come out."""
            self._choices.type_info = type_info
            return self

        def json_schema(self, json_schema: str) -> "JsonRowDeserializationSchema.Builder":
            """Say what rows come out, by a JSON schema."""
            if json_schema is None:
                raise TypeError("The json_schema must not be None.")
            self._choices.type_info = type_of_json_schema(json_schema)
            return self

        def fail_on_missing_field(self) -> "JsonRowDeserializationSchema.Builder":
            """Fail where an object has not all fields; otherwise they are None."""
            self._choices.fail_on_missing_field = True
            return self

        def ignore_parse_errors(self) -> "JsonRowDeserializationSchema.Builder":
            """Leave out messages that cannot be read; otherwise the job fails."""
            self._choices.ignore_parse_errors = True
            return self

        def build(self) -> "JsonRowDeserializationSchema":
            """The schema."""
            made = self._choices
            if not isinstance(made.type_info, RowTypeInfo):
                raise ProgramError(f"type_info takes a row type of Types, not {made.type_info!r}")
            return JsonRowDeserializationSchema(
                made.type_info, made.ignore_parse_errors, made.fail_on_missing_field
            )


class JsonRowSerializationSchema(SerializationSchema):
    """Rows of a declared type as JSON objects; ``builder`` makes it.

    >>> from penstock.data.types import Types
    >>> rows = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
    >>> JsonRowSerializationSchema.builder().with_type_info(rows).build().serialize((1, "x"))
    b'{"a":1,"b":"x"}'
    """

    def __init__(self, type_info: RowTypeInfo) -> None:
        self._type_info = type_info
        self._text = text_of_type(type_info, text_of_value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (JsonRowSerializationSchema, (self._type_info,))

    @staticmethod
    def builder() -> "JsonRowSerializationSchema.Builder":
        """Begin a schema."""
        return JsonRowSerializationSchema.Builder()

    class Builder:
        """Collects the settings."""

        def __init__(self) -> None:
            self._type_info: Any = None

        def with_type_info(self, type_info: TypeInformation) -> "JsonRowSerializationSchema.Builder":
            """Say what rows there are."""
            self._type_info = type_info
            return self

        def build(self) -> "JsonRowSerializationSchema":
            """The schema."""
            if self._type_info is None:
                raise TypeError("Typeinfo should be set.")
            if not isinstance(self._type_info, RowTypeInfo):
                raise ProgramError(f"with_type_info takes a row type of Types, not {self._type_info!r}")
            return JsonRowSerializationSchema(self._type_info)

    def serialize(self, element: Any) -> bytes:
        return self.serialize_batch([element])[0] or b""

    def serialize_batch(self, elements: list[Any]) -> list[bytes | None]:
        rows = self._type_info.convert_batch(elements)
        return [self._text(row).encode() for row in rows]
