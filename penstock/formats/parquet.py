"""Parquet files, read as columns."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from penstock.data.logical_conversion import a_row_type
from penstock.data.type_information import TypeInformation
from penstock.errors import ProgramError
from penstock.formats.arrow_types import DeclaredRow, checked_row
from penstock.formats.bad_records import OnError, check_on_error
from penstock.formats.columns import BATCH_ROWS, ColumnsReader, layout_of_columns, without_first
from penstock.formats.contract import BulkFormat, FileAccess, FilePart, FormatReader

if TYPE_CHECKING:
    import pyarrow


class ParquetColumnarRowInputFormat(BulkFormat):
    """Parquet files as columns: those of a row type of ``Types`` or ``DataTypes``, or all that a file has.

    Several readers share a file by its row groups. ``on_error``: what becomes of a damaged file, from the first row on that
    cannot be read.

    >>> from penstock.data.types import Types
    >>> ParquetColumnarRowInputFormat(Types.ROW_NAMED(["a"], [Types.INT()])).output_layout
    'columns'
    """

    checks_types = True
    splittable = True

    def __init__(
        self,
        row_type: DeclaredRow | None = None,
        hadoop_config: Any = None,
        batch_size: int = BATCH_ROWS,
        is_utc_timestamp: bool = False,
        is_case_sensitive: bool = True,
        on_error: OnError = "fail",
    ) -> None:
        if batch_size <= 0:
            raise ProgramError(f"batch_size is a number of rows above 0, not {batch_size}")
        self._row_type = None if row_type is None else checked_row(row_type)
        self._batch_rows = batch_size
        self._is_case_sensitive = is_case_sensitive
        self._on_error = check_on_error(on_error)

    @property
    def output_layout(self) -> str:  # type: ignore[override]
        """Columns, unless there are points in time, for which they have no form of their own."""
        return layout_of_columns(self._row_type)

    def get_produced_type(self) -> TypeInformation | None:
        return None if self._row_type is None else a_row_type("row_type", self._row_type)

    def create_reader(self, access: FileAccess) -> FormatReader:
        reader = ParquetReader(access, self._row_type, self._on_error, self._is_case_sensitive)
        reader.batch_rows = self._batch_rows
        return reader


class ParquetReader(ColumnsReader):
    """Reads the row groups that begin in its part."""

    batch_rows = BATCH_ROWS

    def batches(self, file: BinaryIO, part: FilePart, skip: int) -> Iterator["pyarrow.RecordBatch"]:
        from pyarrow import parquet

        source = part.path if "://" not in part.path else file
        with parquet.ParquetFile(source) as opened:
            groups: list[int] = []
            for index in range(opened.num_row_groups):
                group = opened.metadata.row_group(index)
                if not part.start <= _first_byte(group) < part.stop:
                    continue
                if not groups and skip >= group.num_rows:
                    skip -= group.num_rows
                    continue
                groups.append(index)
            columns = self.columns_of(opened.schema_arrow)
            if groups:
                found = opened.iter_batches(self.batch_rows, groups, columns, use_threads=False)
                yield from without_first(found, skip)


def _first_byte(group: Any) -> int:
    """Where a row group begins, which says whose part it is."""
    if not group.num_columns:
        return 0
    column = group.column(0)
    offsets = [column.data_page_offset, column.dictionary_page_offset]
    return int(min(offset for offset in offsets if offset))
