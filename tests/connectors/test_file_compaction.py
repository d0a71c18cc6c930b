"""Putting files together: record by record, and never with more of them in memory than a batch."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from penstock.connectors.files.compaction import FileCompactor
from penstock.errors import ProgramError
from penstock.formats.contract import FileAccess, FormatReader, Piece
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.text import StreamFormat

LINES = [f"line {number}" for number in range(5_000)]


class _Told(StreamFormat):
    """Lines of text; tells when a batch of them is read."""

    def __init__(self, events: list[str]) -> None:
        self._events = events
        self._lines = StreamFormat.text_line_format()

    def create_reader(self, access: FileAccess) -> FormatReader:
        reader = self._lines.create_reader(access)
        real = reader.read

        def read() -> Piece | None:
            piece = real()
            if piece is not None:
                self._events.append("read")
            return piece

        reader.read = read  # type: ignore[method-assign]
        return reader


def lines_in(folder: Path, count: int) -> list[str]:
    paths = [folder / f"{number}.txt" for number in range(count)]
    for path in paths:
        path.write_text("".join(f"{line}\n" for line in LINES))
    return list(map(str, paths))


def test_a_batch_is_written_before_the_next_is_read(tmp_path: Path) -> None:
    events: list[str] = []
    written: list[str] = []

    def write(stream: Any, batches: Iterable[Any]) -> None:
        for batch in batches:
            events.append("written")
            written.extend(batch)

    compactor = FileCompactor.record_wise_file_compactor(_Told(events))
    compactor.compact(lines_in(tmp_path, 2), io.BytesIO(), write)
    assert written == LINES * 2
    assert len(events) > 10
    assert events == ["read", "written"] * (len(events) // 2)


def test_a_write_that_fails_closes_what_was_open(tmp_path: Path) -> None:
    table = pyarrow.table({"n": list(range(100))})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=10)
    seen: list[Any] = []

    def fails(stream: Any, batches: Iterable[Any]) -> None:
        seen.append(next(iter(batches)))
        raise OSError("no space left")

    compactor = FileCompactor.record_wise_file_compactor(ParquetColumnarRowInputFormat(batch_size=10))
    with pytest.raises(OSError, match="no space left"):
        compactor.compact([str(tmp_path / "a.parquet")], io.BytesIO(), fails)
    assert [batch.num_rows for batch in seen] == [10]


def test_one_file_is_copied_and_several_need_another_compactor(tmp_path: Path) -> None:
    paths, out = lines_in(tmp_path, 2), io.BytesIO()
    FileCompactor.identical_file_compactor().compact(paths[:1], out, lambda *_: None)
    assert out.getvalue() == Path(paths[0]).read_bytes()
    with pytest.raises(ProgramError, match="IdenticalFileCompactor can only copy one file, and there are 2"):
        FileCompactor.identical_file_compactor().compact(paths, io.BytesIO(), lambda *_: None)
