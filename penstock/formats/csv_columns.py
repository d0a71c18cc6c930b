"""CSV files read as columns, by Arrow where it reads a block as the row reader would, and by that one elsewhere."""

import io
from typing import TYPE_CHECKING, Any

from penstock.data.types import Types
from penstock.formats.arrow_types import arrow_schema
from penstock.formats.contract import FileAccess
from penstock.formats.csv_lines import CsvLayout, CsvLines
from penstock.formats.csv_schema import CsvSchema
from penstock.formats.csv_values import FieldReader

if TYPE_CHECKING:
    import pyarrow

# Read at once: for smaller blocks Arrow's start weighs, larger ones leave the processor's cache before they are used.
BLOCK_BYTES = 256 * 1024

_TEXT = frozenset({Types.STRING()})
_INTEGERS = frozenset({Types.BYTE(), Types.SHORT(), Types.INT(), Types.LONG()})
_COLUMNAR = _TEXT | _INTEGERS | {Types.DOUBLE(), Types.BOOLEAN()}


def is_columnar(schema: CsvSchema) -> bool:
    """Whether Arrow reads the values of a schema as the row reader does.

    >>> is_columnar(CsvSchema.builder().add_number_column("n").build())
    True
    """
    kinds = {column.kind for column in schema.columns}
    return (
        kinds <= _COLUMNAR
        and not schema.allow_comments
        and schema.escape_char is None
        and all(
            letter is None or len(letter.encode()) == 1
            for letter in (schema.column_separator, schema.quote_char)
        )
        # Arrow knows one list of texts for all columns.
        and (not schema.null_value or not kinds & _TEXT)
    )


class CsvColumns(CsvLines):
    """Gives Arrow whole lines; what it does not take, and what it would take too easily, is read row by row."""

    def __init__(self, access: FileAccess, layout: CsvLayout) -> None:
        super().__init__(access, layout)
        self.block_bytes = BLOCK_BYTES
        self._fields = FieldReader(layout.schema, as_tuples=True)
        self._arrow_schema = arrow_schema(layout.schema.row_type())
        self._has_integers = any(column.kind in _INTEGERS for column in layout.schema.columns)
        self._options = self._arrow_options()

    def parse_bytes(self, block: bytes, end: int) -> "pyarrow.RecordBatch | None":
        start = self._behind_header(block, end)
        if start is None or not self._is_plain(block, start, end):
            return None
        return self._parsed(memoryview(block)[start:end])

    def parse(self, text: str, final: bool) -> tuple[Any, int]:
        import pyarrow

        rows, left = super().parse(text, final)
        columns: Any = zip(*rows, strict=True) if rows else [()] * len(self._arrow_schema)
        arrays = [
            pyarrow.array(values, field.type)
            for values, field in zip(columns, self._arrow_schema, strict=True)
        ]
        return pyarrow.RecordBatch.from_arrays(arrays, schema=self._arrow_schema), left

    def _behind_header(self, block: bytes, end: int) -> int | None:
        """Where the data begins; None where the header is not plain lines, each of which is a row."""
        if not (self._rows_to_skip and self.at_start_of_file()):
            return 0
        start = 0
        for _ in range(self._rows_to_skip):
            start = block.find(b"\n", start, end) + 1
            if not start:
                return None
        head = block[:start]
        quote = self._schema.quote_char
        if not head.isascii() or head.count(b"\r") != head.count(b"\r\n"):
            return None
        if quote is not None and quote.encode() in head:
            return None
        rows = self._dialect.records(head.decode())
        if not all(rows):
            return None
        self._check_header(rows, "")
        return start

    def _is_plain(self, block: bytes, start: int, end: int) -> bool:
        """Whether both readers see the same fields; counted at the speed of C, so that it may say no where it need not."""
        if self._charset.codec not in ("utf-8", "utf_8") or start >= end:
            return False
        count = block.count
        returns = count(b"\r", start, end)
        if returns and returns != count(b"\r\n", start, end + 1):
            return False  # Arrow ends lines there, too
        if self._has_integers:
            for letter, mark in ((b"x", b"0x"), (b"X", b"0X")):
                # A single letter is looked for ten times as fast.
                if block.find(letter, start, end) >= 0 and block.find(mark, start, end) >= 0:
                    return False  # Arrow reads hexadecimal numbers
        if self._schema.quote_char is None:
            return True
        return _quotes_stand_around_fields(
            block[start:end], self._schema.quote_char.encode(), self._schema.column_separator.encode()
        )

    def _parsed(self, lines: memoryview) -> "pyarrow.RecordBatch | None":
        import pyarrow
        from pyarrow import csv as arrow_csv

        parse_options, convert_options = self._options
        read_options = arrow_csv.ReadOptions(
            use_threads=False, block_size=len(lines) + 1, column_names=self._arrow_schema.names
        )
        try:
            table = arrow_csv.read_csv(io.BytesIO(lines), read_options, parse_options, convert_options)
        except pyarrow.ArrowInvalid:
            return None  # the row reader says which row it is
        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else None

    def _arrow_options(self) -> tuple[Any, Any]:
        from pyarrow import csv as arrow_csv

        schema = self._schema
        null = schema.null_value
        return (
            arrow_csv.ParseOptions(
                delimiter=schema.column_separator,
                quote_char=schema.quote_char or False,
                double_quote=True,
                newlines_in_values=True,
            ),
            arrow_csv.ConvertOptions(
                column_types=self._arrow_schema,
                null_values=["", *([] if null is None else [null])],
                strings_can_be_null=null == "",
                true_values=["true", "True", "TRUE"],
                false_values=["false", "False", "FALSE"],
            ),
        )


def _quotes_stand_around_fields(lines: bytes, quote: bytes, separator: bytes) -> bool:
    """Whether each quote begins or ends a field, none stands for itself, and as many begin as end.

    >>> [_quotes_stand_around_fields(text, b'"', b",") for text in (b'1,"a"', b'1,"a"b', b'1,"a""b"', b'"a')]
    [True, False, False, False]
    """
    total = lines.count(quote)
    if not total:
        return True
    if lines.count(quote * 2):
        return False
    begins = lines.count(separator + quote) + lines.count(b"\n" + quote) + lines.startswith(quote)
    ends = (
        lines.count(quote + separator)
        + lines.count(quote + b"\n")
        + lines.count(quote + b"\r")
        + lines.endswith(quote)
    )
    if begins != ends or begins + ends != total:
        return False
    # A quote between two ends of fields would be counted twice.
    return not any(
        lines.count(before + quote + after)
        for before in (separator, b"\n")
        for after in (separator, b"\n", b"\r")
    )
