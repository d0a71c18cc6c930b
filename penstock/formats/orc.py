"""ORC files, read as columns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from penstock.data.logical_conversion import a_row_type
from penstock.data.type_information import TypeInformation
from penstock.formats.arrow_types import DeclaredRow, checked_row
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.columns import BATCH_ROWS, ColumnsReader, layout_of_columns, without_first
from penstock.formats.contract import BulkFormat, FileAccess, FilePart, FormatReader

if TYPE_CHECKING:
    import pyarrow


class OrcColumnarRowInputFormat(BulkFormat):
    """ORC files as columns: those of a row type of ``Types`` or ``DataTypes``, or all that a file has.

    Each file is read by one reader.

    ``on_error``: what becomes of a damaged file, from the first row on that cannot be read.

    >>> OrcColumnarRowInputFormat().output_layout
    'columns'
    """

    checks_types = True

    def __init__(self, row_type: DeclaredRow | None = None, on_error: OnError = "fail") -> None:
        self._row_type = None if row_type is None else checked_row(row_type)
        self._on_error = check_on_error(on_error)

    @property
    def output_layout(self) -> str:  # type: ignore[override]
        """Columns, unless there are points in time, for which they have no form of their own."""
        return layout_of_columns(self._row_type)

    def get_produced_type(self) -> TypeInformation | None:
        return None if self._row_type is None else a_row_type("row_type", self._row_type)

    def create_reader(self, access: FileAccess) -> FormatReader:
        return _OrcReader(access, self._row_type, self._on_error)


class _OrcReader(ColumnsReader):
    def batches(self, file: BinaryIO, part: FilePart, skip: int) -> Iterator["pyarrow.RecordBatch"]:
        from pyarrow import orc

        opened = orc.ORCFile(part.path if "://" not in part.path else file)
        columns = self.columns_of(opened.schema)
        stripes = (opened.read_stripe(index, columns) for index in range(opened.nstripes))
        for batch in without_first(stripes, skip):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
