"""CSV: files of rows, and schemas of messages."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from penstock.contracts.serialization import DeserializationSchema, SerializationSchema
from penstock.data.type_information import TypeInformation
from penstock.errors import OutsideError, ProgramError
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.charsets import check_charset
from penstock.formats.contract import FileAccess, FormatReader
from penstock.formats.csv_schema import CsvSchema, CsvSchemaBuilder
from penstock.formats.csv_values import NUMBERS, BadField, FieldReader, FieldWriter
from penstock.formats.json import unreadable
from penstock.formats.lines import LineReader
from penstock.formats.text import StreamFormat

__all__ = [
    "CsvReaderFormat",
    "CsvRowDeserializationSchema",
    "CsvRowSerializationSchema",
    "CsvSchema",
    "CsvSchemaBuilder",
]


@dataclass(frozen=True, slots=True)
class CsvReaderFormat(StreamFormat):
    """CSV files as rows; ``for_schema`` makes it."""

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

    def get_produced_type(self) -> TypeInformation:
        return self.schema.row_type()

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _CsvLines(access, self)


def _dialect(schema: CsvSchema) -> dict[str, Any]:
    return {
        "delimiter": schema.column_separator,
        "quotechar": schema.quote_char,
        "quoting": csv.QUOTE_NONE if schema.quote_char is None else csv.QUOTE_MINIMAL,
        "escapechar": schema.escape_char,
        "lineterminator": schema.line_separator,
        "strict": True,
    }


class _CsvLines(LineReader):
    keeps_returns = True

    def __init__(self, access: FileAccess, csv_format: CsvReaderFormat) -> None:
        super().__init__(access, csv_format.codec, "strict", csv_format.on_error)
        self._schema = csv_format.schema
        self._dialect = _dialect(csv_format.schema)
        self._fields = FieldReader(csv_format.schema)

    def parse(self, text: str, final: bool) -> tuple[list[Any], int]:
        rows_to_skip = 0
        if self.at_start_of_file():
            rows_to_skip = self._schema.use_header + self._schema.skip_first_data_row
        if not self._schema.allow_comments:
            try:
                records = list(csv.reader(io.StringIO(text, newline="\n"), **self._dialect))
                return self._rows(list(filter(None, records)), rows_to_skip, final, text), 0
            except (csv.Error, BadField, _NoHeaderYet):
                pass
        return self._one_by_one(text, rows_to_skip, final)

    def _rows(self, records: list[list[str]], rows_to_skip: int, final: bool, text: str) -> list[Any]:
        if rows_to_skip:
            if len(records) < rows_to_skip and not final:
                raise _NoHeaderYet
            self._check_header(records, text)
            del records[:rows_to_skip]
        return self._fields.rows(records)

    def _check_header(self, records: list[list[str]], text: str) -> None:
        schema = self._schema
        if not (schema.use_header and schema.strict_headers and records):
            return
        found = [name.strip() for name in records[0]]
        if found != schema.names():
            failure = OutsideError(
                f"{self._part.path} has the header {found}, but the schema has the columns {schema.names()}; "
                "correct one of them, or leave set_strict_headers out"
            )
            failure.retryable = False
            raise failure

    def _one_by_one(self, text: str, rows_to_skip: int, final: bool) -> tuple[list[Any], int]:
        """As the rest of ``parse``, but so that each record is known by the line in which it begins."""
        lines = _RecordLines(text, self._schema.allow_comments)
        reader = csv.reader(lines, **self._dialect)
        found: list[Any] = []
        skipped: list[list[str]] = []
        while True:
            begin = lines.begin_record()
            try:
                record = next(reader, None)
            except csv.Error as error:
                if lines.is_exhausted and not final:
                    return self._unless_header_is_missing(
                        found, lines.total - begin, skipped, rows_to_skip, lines
                    )
                self.bad(begin, lines.text_from(begin), str(error))
                continue
            if record is None:
                return self._unless_header_is_missing(found, 0, skipped, 0 if final else rows_to_skip, lines)
            if not record:
                continue
            if len(skipped) < rows_to_skip:
                skipped.append(record)
                self._check_header(skipped, text)
                continue
            try:
                found += self._fields.rows([record])
            except BadField as error:
                self.bad(begin, lines.text_from(begin), str(error), error.colno)

    @staticmethod
    def _unless_header_is_missing(
        found: list[Any], left: int, skipped: list[list[str]], rows_to_skip: int, lines: "_RecordLines"
    ) -> tuple[list[Any], int]:
        """The position must not move between the rows to skip: they would be taken for data after a restore."""
        return (found, left) if len(skipped) >= rows_to_skip else ([], lines.total)


class _NoHeaderYet(Exception):
    """The rows to skip are not complete."""


class _RecordLines(Iterator[str]):
    """Gives the csv module its lines, and knows which of them a record begins with."""

    def __init__(self, text: str, has_comments: bool) -> None:
        self._lines = list(io.StringIO(text, newline="\n"))
        self.total = text.count("\n") + 1
        self._next = 0
        self._has_comments = has_comments
        self.is_exhausted = False

    def begin_record(self) -> int:
        """Which line the next record begins with; comments before it are left out."""
        if self._has_comments:
            while self._next < len(self._lines) and self._lines[self._next].startswith("#"):
                self._next += 1
        return self._next

    def text_from(self, begin: int) -> str:
        """The lines of the record that was read last."""
        return "".join(self._lines[begin : self._next]).rstrip("\r\n")

    def __next__(self) -> str:
        if self._next >= len(self._lines):
            self.is_exhausted = True
            raise StopIteration
        self._next += 1
        return self._lines[self._next - 1]


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
        self._dialect = _dialect(schema)
        self._fields = FieldReader(schema)

    def deserialize(self, message: bytes) -> Any:
        if message is None:
            return None
        try:
            text = message.decode()
            if self._settings[0].allow_comments and text.startswith("#"):
                return None
            records = list(csv.reader(io.StringIO(text, newline="\n"), **self._dialect))
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
        quote = _quoting(schema)
        self._quotes = [str if column.kind in NUMBERS else quote for column in schema.columns]

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
    quote = schema.quote_char
    if quote is None:
        return lambda text: text
    last = chr(max(map(ord, f"{schema.column_separator}{quote}{schema.line_separator}")))
    unsafe = re.compile(f"[\0-{re.escape(last)}{re.escape(schema.escape_char or '')}]").search

    def quoted(text: str) -> str:
        if len(text) <= _LONGEST_CHECKED_FIELD and unsafe(text) is None:
            return text
        return f"{quote}{text.replace(quote, quote * 2)}{quote}"

    return quoted


def _letter(char: str) -> str:
    if not isinstance(char, str) or len(char) != 1:
        raise ProgramError(f"a single character is expected, got {char!r}")
    return char


def _delimited(schema: CsvSchema, delimiter: str) -> tuple[Any, ...]:
    return tuple(
        column if column.separator is None else replace(column, separator=delimiter)
        for column in schema.columns
    )
