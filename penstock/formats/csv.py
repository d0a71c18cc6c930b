"""CSV: files of rows, and schemas of messages."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.charsets import check_charset
from penstock.formats.contract import FileAccess, FormatReader
from penstock.formats.csv_columns import CsvColumns, is_columnar
from penstock.formats.csv_lines import CsvDialect, CsvLayout, CsvLines
from penstock.formats.csv_schema import CsvSchema, CsvSchemaBuilder
from penstock.formats.csv_values import NUMBERS, BadField, FieldReader, FieldWriter
from penstock.formats.text import StreamFormat
from penstock.formats.unreadable import unreadable

__all__ = [
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]


@dataclass(frozen=True, slots=True)
class CsvReaderFormat(StreamFormat):
    """CSV files, read as columns that become rows where a function wants them; ``for_schema`` makes it.

    Columns of arrays, decimals, dates and 32-bit floats, comments and escape characters have files read as rows at once.
    """

    schema: CsvSchema
    on_error: OnError
    codec: str
    newlines_in_values: bool

    checks_types = True

    @staticmethod
    def for_schema(
        schema: CsvSchema,
        on_error: OnError = "fail",
        charset_name: str = "UTF-8",
        newlines_in_values: bool = True,
    ) -> "CsvReaderFormat":
        """Rows of the columns of a schema.

        A file whose values may have newlines in them is read by one reader. Say that they have none, and several readers
        share large files.

        >>> schema = CsvSchema.builder().add_string_column("name").build()
        >>> CsvReaderFormat.for_schema(schema).get_produced_type()
        RowTypeInfo(name: String)
        """
        if not isinstance(schema, CsvSchema):
            raise ProgramError(f"for_schema takes a CsvSchema, not {schema!r}; CsvSchema.builder() makes one")
        FieldReader(schema)
        return CsvReaderFormat(
            schema, check_on_error(on_error), check_charset(charset_name), newlines_in_values
        )

    @property
    def splittable(self) -> bool:  # type: ignore[override]
        """Whether a line is a record for certain."""
        return not self.newlines_in_values

    @property
    def output_layout(self) -> str:  # type: ignore[override]
        """Columns where Arrow reads all values as they are meant."""
        return "columns" if is_columnar(self.schema) else "rows"

    def get_produced_type(self) -> TypeInformation:
        return self.schema.row_type()

    def create_reader(self, access: FileAccess) -> FormatReader:
        layout = CsvLayout(self.schema, self.on_error, self.codec)
        return CsvColumns(access, layout) if is_columnar(self.schema) else CsvLines(access, layout)


class CsvRowDeserializationSchema(DeserializationSchema):
    """Messages that are a line of CSV each, as rows; its ``Builder`` makes it.

    >>> from penstock.data.types import Types
    >>> rows = Types.ROW_NAMED(["a", "b"], [Types.INT(), Types.STRING()])
    >>> CsvRowDeserializationSchema.Builder(rows).build().deserialize(b"1,x")
    Row(a=1, b='x')
    """

    def __init__(self, schema: CsvSchema, ignore_parse_errors: bool = False) -> None:
        self._settings = (schema, ignore_parse_errors)
        self._ignore = ignore_parse_errors
        self._dialect = CsvDialect(schema)
        self._fields = FieldReader(schema)

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        try:
            text = message.decode()
            if self._settings[0].allow_comments and text.startswith("#"):
                return None
            records = self._dialect.records(text)
            if len(records) != 1:
                raise BadField(f"one row is expected, but there are {len(records)}", None)
            records = [records[0] or [""]]  # an empty line is one field without text
            if self._ignore:
                return self._fields.rows_where_readable(records[0])
            return self._fields.rows(records)[0]
        except (csv.Error, ValueError) as error:
            if self._ignore:
                return None
            raise unreadable(message, error) from error

    def get_produced_type(self) -> TypeInformation:
        return self._settings[0].row_type()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._settings)

    class Builder:
        """Collects the settings."""

        def __init__(self, type_info: TypeInformation) -> None:
            if type_info is None:
                raise TypeError("Type information must not be None")
            self._schema = CsvSchema.of_type(type_info)
            self._ignore = False

        def _with(self, **changes: Any) -> "CsvRowDeserializationSchema.Builder":
            self._schema = replace(self._schema, **changes)
            return self

        def set_field_delimiter(self, delimiter: str) -> "CsvRowDeserializationSchema.Builder":
            """Say what stands between fields; a comma unless set."""
            return self._with(column_separator=_letter(delimiter))

        def set_allow_comments(self, allow_comments: bool) -> "CsvRowDeserializationSchema.Builder":
            """Leave out messages that begin with ``#``."""
            return self._with(allow_comments=allow_comments)

        def set_array_element_delimiter(self, delimiter: str) -> "CsvRowDeserializationSchema.Builder":
            """Say what stands between elements; a semicolon unless set."""
            return self._with(columns=_delimited(self._schema, delimiter))

        def set_quote_character(self, c: str) -> "CsvRowDeserializationSchema.Builder":
            """Say what stands around fields; a double quote unless set."""
            return self._with(quote_char=_letter(c))

        def set_escape_character(self, c: str) -> "CsvRowDeserializationSchema.Builder":
            """Say which letter takes the meaning from the next."""
            return self._with(escape_char=_letter(c))

        def set_null_literal(self, null_literal: str) -> "CsvRowDeserializationSchema.Builder":
            """Say which text stands for None."""
            return self._with(null_value=null_literal)

        def set_ignore_parse_errors(self, ignore_parse_errors: bool) -> "CsvRowDeserializationSchema.Builder":
            """Take fields that cannot be read or are missing as None, and leave out messages that are no row at all."""
            self._ignore = ignore_parse_errors
            return self

        def build(self) -> "CsvRowDeserializationSchema":
            """The schema."""
            return CsvRowDeserializationSchema(self._schema, self._ignore)


class CsvRowSerializationSchema(SerializationSchema):
    """Rows as lines of CSV; its ``Builder`` makes it.

    >>> from penstock.data.types import Types
    >>> rows = Types.ROW([Types.INT(), Types.STRING()])
    >>> CsvRowSerializationSchema.Builder(rows).build().serialize((1, "x,y"))
    b'1,"x,y"\\n'
    """

    def __init__(self, schema: CsvSchema) -> None:
        self._schema = schema
        self._fields = FieldWriter(schema)
        self._quote = quote = _quoting(schema)
        self._quotes = [str if column.kind in NUMBERS else quote for column in schema.columns]

    def header(self) -> bytes:
        """A line with the names of the columns.

        >>> CsvRowSerializationSchema(CsvSchema.builder().add_string_column("a,b").build()).header()
        b'"a,b"\\n'
        """
        schema = self._schema
        names = schema.column_separator.join(map(self._quote, schema.names()))
        return f"{names}{schema.line_separator}".encode()

    def serialize(self, element: Any) -> bytes:
        return self.serialize_batch([element])[0] or b""

    def serialize_batch(self, elements: list[Any]) -> list[bytes | None]:
        join, end, quotes = self._schema.column_separator.join, self._schema.line_separator, self._quotes
        return [
            f"{join([quote(text) for quote, text in zip(quotes, texts, strict=True)])}{end}".encode()
            for texts in self._fields.texts(elements)
        ]

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self._schema,))

    class Builder:
        """Collects the settings."""

        def __init__(self, type_info: TypeInformation) -> None:
            if type_info is None:
                raise TypeError("Type information must not be None")
            self._schema = CsvSchema.of_type(type_info)

        def _with(self, **changes: Any) -> "CsvRowSerializationSchema.Builder":
            self._schema = replace(self._schema, **changes)
            return self

        def set_field_delimiter(self, c: str) -> "CsvRowSerializationSchema.Builder":
            """Say what stands between fields; a comma unless set."""
            return self._with(column_separator=_letter(c))

        def set_line_delimiter(self, delimiter: str) -> "CsvRowSerializationSchema.Builder":
            """Say what ends a row; a newline unless set."""
            return self._with(line_separator=delimiter)

        def set_array_element_delimiter(self, delimiter: str) -> "CsvRowSerializationSchema.Builder":
            """Say what stands between elements; a semicolon unless set."""
            return self._with(columns=_delimited(self._schema, delimiter))

        def disable_quote_character(self) -> "CsvRowSerializationSchema.Builder":
            """Let nothing stand around fields; those with separators in them then need the escape character."""
            return self._with(quote_char=None)

        def set_quote_character(self, c: str) -> "CsvRowSerializationSchema.Builder":
            """Say what stands around fields; a double quote unless set."""
            return self._with(quote_char=_letter(c))

        def set_escape_character(self, c: str) -> "CsvRowSerializationSchema.Builder":
            """Say which letter takes the meaning from the next."""
            return self._with(escape_char=_letter(c))

        def set_null_literal(self, s: str) -> "CsvRowSerializationSchema.Builder":
            """Say which text stands for None."""
            return self._with(null_value=s)

        def build(self) -> "CsvRowSerializationSchema":
            """The schema."""
            return CsvRowSerializationSchema(self._schema)


# Longer fields are not looked at but quoted.
_LONGEST_CHECKED_FIELD = 24


def _quoting(schema: CsvSchema) -> Callable[[str], str]:
    """What puts quotes around a field where Flink does, which looks no closer than is quick.

    Letters up to the separator, the quote and the end of the line are not looked into one by one: any of them is quoted.
    """
    quote, escape = schema.quote_char, schema.escape_char
    if quote is None:
        return _escaping(schema)
    last = chr(max(map(ord, f"{schema.column_separator}{quote}{schema.line_separator}")))
    unsafe = re.compile(f"[\0-{re.escape(last)}{re.escape(escape or '')}]").search

    def quoted(text: str) -> str:
        if len(text) <= _LONGEST_CHECKED_FIELD and unsafe(text) is None:
            return text
        if escape is not None:
            text = text.replace(escape, escape * 2)
        return f"{quote}{text.replace(quote, quote * 2)}{quote}"

    return quoted


def _escaping(schema: CsvSchema) -> Callable[[str], str]:
    """What takes the meaning from letters where there are no quotes; Flink leaves them, so that nobody reads them back."""
    escape = schema.escape_char
    if escape is None:
        return lambda text: text
    named = {"\n": "n", "\r": "r"}
    special = re.compile(f"[{re.escape(f'{schema.column_separator}{escape}{schema.line_separator}')}\n\r]")
    return lambda text: special.sub(lambda letter: escape + named.get(letter[0], letter[0]), text)


def _letter(char: str) -> str:
    if not isinstance(char, str) or len(char) != 1:
        raise ProgramError(f"a single character is expected, got {char!r}")
    return char


def _delimited(schema: CsvSchema, delimiter: str) -> tuple[Any, ...]:
    return tuple(
        column if column.separator is None else replace(column, separator=delimiter)
        for column in schema.columns
    )
