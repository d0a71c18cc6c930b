"""Lines of CSV, read as rows by the csv module: each bad one is known by its line and column."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.errors import OutsideError
from penstock.formats.bad_records import OnError
from penstock.formats.contract import FileAccess
from penstock.formats.csv_schema import CsvSchema
from penstock.formats.csv_values import BadField, FieldReader
from penstock.formats.lines import LineReader

# Characters. A field whose quote is never closed ends here at the latest, rather than at the end of a file of any size.
LONGEST_FIELD = 1 << 27

_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How files of CSV are written, and what becomes of records that cannot be read."""

    schema: CsvSchema
    on_error: OnError
    codec: str


class CsvLines(LineReader):
    """Rows of lines of CSV."""

    keeps_returns = True

    def __init__(self, access: FileAccess, layout: CsvLayout) -> None:
        super().__init__(access, layout.codec, "strict", layout.on_error)
        self._schema = layout.schema
        self._rows_to_skip = layout.schema.use_header + layout.schema.skip_first_data_row
        self._dialect = CsvDialect(layout.schema)
        self._fields = FieldReader(layout.schema)

    def parse(self, text: str, final: bool) -> tuple[list[Any], int]:
        rows_to_skip = self._rows_to_skip if self.at_start_of_file() else 0
        if not self._schema.allow_comments:
            try:
                records = self._dialect.records(text)
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
        reader = self._dialect.reader(lines)
        found: list[Any] = []
        skipped: list[list[str]] = []
        bad: list[tuple[int, str, str, int | None]] = []
        while True:
            begin = lines.begin_record()
            try:
                record = next(reader, None)
            except csv.Error as error:
                if lines.is_exhausted and not final:
                    left = lines.total - begin
                    break
                bad.append((begin, lines.text_from(begin), str(error), None))
                continue
            if record is None:
                left = 0
                break
            if not record:
                continue
            if len(skipped) < rows_to_skip:
                skipped.append(record)
                self._check_header(skipped, text)
                continue
            try:
                found += self._fields.rows([record])
            except BadField as error:
                bad.append((begin, lines.text_from(begin), str(error), error.colno))
        if len(skipped) < rows_to_skip and not final:
            # The position must not move between the rows to skip: they would be taken for data after a restore.
            return [], lines.total
        for record_of in bad:
            self.bad(*record_of)
        return found, left


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


class CsvDialect:
    """The letters of a schema, for the csv module."""

    def __init__(self, schema: CsvSchema) -> None:
        self._letters: dict[str, Any] = {
            "delimiter": schema.column_separator,
            "quotechar": schema.quote_char,
            "quoting": csv.QUOTE_NONE if schema.quote_char is None else csv.QUOTE_MINIMAL,
            "escapechar": schema.escape_char,
            "lineterminator": schema.line_separator,
            "strict": True,
        }
        self._escape = escape = schema.escape_char
        self._pairs = None if escape is None else re.compile(f"{re.escape(escape)}(.)", re.DOTALL)

    def records(self, text: str) -> list[list[str]]:
        """The fields of all records of a text.

        :raises csv.Error: when there is one that cannot be read.
        """
        return list(self.reader(io.StringIO(text, newline="\n")))

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The fields of each record in lines that have their ends."""
        csv.field_size_limit(LONGEST_FIELD)  # it is the process's, and 128 KiB unless set
        return csv.reader(lines if self._pairs is None else map(self._meant, lines), **self._letters)

    def _meant(self, line: str) -> str:
        """A line in which escaped letters that stand for others, as the n of ``\\n``, are those others."""
        escape, pairs = self._escape, self._pairs
        if escape is None or pairs is None or escape not in line:
            return line
        return pairs.sub(lambda pair: escape + _ESCAPED.get(pair[1], pair[1]), line)
