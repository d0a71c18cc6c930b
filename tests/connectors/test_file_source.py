"""Files of all formats: found, compressed, watched, restored between any two polls; errors that name the file."""

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import orc, parquet

from penstock.connectors.files import source_parts
from penstock.connectors.files.source import FileSource
from penstock.connectors.files.source_parts import FileEnumeratorProvider, FileSplitAssignerProvider
from penstock.contracts.source import Boundedness, InputStatus
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.row import Row
from penstock.data.time import Duration
from penstock.data.types import Types
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed, OutsideError, ProgramError
from penstock.formats import columns, csv_columns, lines
from penstock.formats.avro import AvroInputFormat, AvroSchema, GenericRecordAvroTypeInfo
from penstock.formats.contract import FileFormat, FilePart
from penstock.formats.csv import CsvReaderFormat, CsvSchema
from penstock.formats.json import JsonLinesFormat
from penstock.formats.orc import OrcColumnarRowInputFormat
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.text import StreamFormat
from tests.connectors.driving import read_all, read_with_restore, running

RECORDS = [{"n": n, "s": f'text "{n}",\n{n}' if n % 3 else "é"} for n in range(40)]
COLUMNS = Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])
SCHEMA = (
    CsvSchema.builder().add_number_column("n", Types.INT()).add_string_column("s").set_use_header().build()
)
AVRO = AvroSchema(
    {"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}, {"name": "s", "type": "string"}]}
)


def text_of(suffix: str) -> Callable[[bytes], bytes]:
    """What compresses a file of a name."""
    found: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
    }
    return found.get(suffix, bytes)


def write_json(path: Path, records: list[Any]) -> None:
    content = "".join(f"{json.dumps(record)}\n" for record in records)
    path.write_bytes(text_of(path.suffix)(content.encode()))


def write_csv(path: Path, records: list[Any]) -> None:
    rows = ['"{}","{}"'.format(r["n"], r["s"].replace('"', '""')) for r in records]
    path.write_bytes(text_of(path.suffix)("\n".join(["n,s", "", *rows]).encode()))


def write_parquet(path: Path, records: list[Any]) -> None:
    parquet.write_table(pyarrow.Table.from_pylist(records), path, row_group_size=7)


def write_orc(path: Path, records: list[Any]) -> None:
    orc.write_table(pyarrow.Table.from_pylist(records), path, stripe_size=64)


def write_avro(path: Path, records: list[Any]) -> None:
    with path.open("wb") as file:
        fastavro.writer(file, AVRO.parsed, records, sync_interval=64)


FORMATS: dict[str, tuple[FileFormat, Callable[[Path, list[Any]], None]]] = {
    "json": (JsonLinesFormat(), write_json),
    "json.gz": (JsonLinesFormat(COLUMNS), write_json),
    "json.zst": (JsonLinesFormat(), write_json),
    "csv": (CsvReaderFormat.for_schema(SCHEMA), write_csv),
    "csv.bz2": (CsvReaderFormat.for_schema(SCHEMA), write_csv),
    "csv.xz": (CsvReaderFormat.for_schema(SCHEMA), write_csv),
    "parquet": (ParquetColumnarRowInputFormat(batch_size=3), write_parquet),
    "orc": (OrcColumnarRowInputFormat(), write_orc),
    "avro": (AvroInputFormat(AVRO), write_avro),
}


def source_of(file_format: FileFormat, *paths: Any) -> FileSource:
    if isinstance(file_format, StreamFormat):
        return FileSource.for_record_stream_format(file_format, *paths).build()
    return FileSource.for_bulk_file_format(file_format, *paths).build()  # type: ignore[arg-type]


def as_dicts(records: list[Any]) -> list[Any]:
    return [record.as_dict() if isinstance(record, Row) else record for record in records]


def texts() -> StreamFormat:
    return StreamFormat.text_line_format()


# Every format ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
@given(st.data())
def test_every_record_comes_once_whatever_is_restored(
    ending: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file_format, write = FORMATS[ending]
    folder = tmp_path_factory.mktemp("files")
    first = data.draw(st.integers(0, len(RECORDS)))
    for name, records in (("a", RECORDS[:first]), ("b", RECORDS[first:])):
        if records:
            write(folder / f"{name}.{ending}", records)
    parallelism, later = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    polls = data.draw(st.lists(st.integers(0, parallelism - 1), max_size=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK_BYTES", data.draw(st.sampled_from([4, 40, 400])))
        patch.setattr(csv_columns, "BLOCK_BYTES", data.draw(st.sampled_from([4, 40, 400])))
        patch.setattr(source_parts, "SMALLEST_PART_BYTES", 64)
        source = source_of(file_format, folder)
        assert as_dicts(read_all(source)) == RECORDS
        found = as_dicts(read_with_restore(source, polls, parallelism, later))
    assert sorted(found, key=lambda record: record["n"]) == RECORDS


@pytest.mark.parametrize("ending", ["parquet", "orc", "avro", "json.gz", "csv.xz"])
def test_a_damaged_file_is_named(ending: str, tmp_path: Path) -> None:
    file_format, write = FORMATS[ending]
    path = tmp_path / f"damaged.{ending}"
    write(path, RECORDS)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OutsideError, match=r"damaged\.") as caught:
        read_all(source_of(file_format, tmp_path))
    assert not caught.value.retryable


@pytest.mark.parametrize("ending", ["parquet", "orc", "avro"])
def test_a_file_of_another_format_is_named(ending: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are only some words, and too few of them to be columns\n" * 3)
    with pytest.raises(OutsideError, match=r"notes\.txt cannot be read: .*of another"):
        read_all(source_of(FORMATS[ending][0], tmp_path))


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_that_vanishes_is_named(ending: str, tmp_path: Path) -> None:
    file_format, write = FORMATS[ending]
    path = tmp_path / f"gone.{ending}"
    write(path, RECORDS)
    with running(source_of(file_format, path)) as run:
        path.unlink()
        with pytest.raises(OutsideError, match=r"there is no file or directory .*gone"):
            run.run()


# Finding -----------------------------------------------------------------------------------------------------------------


def test_several_paths_and_patterns_are_read_each_file_once(tmp_path: Path) -> None:
    for name in ["a.txt", "b.log", "deep/c.txt", "deep/_d.txt", "deep/.e.txt", "_hidden/f.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert read_all(source_of(texts(), tmp_path / "*.txt", tmp_path / "a.txt")) == ["a.txt"]
    assert read_all(source_of(texts(), tmp_path / "**" / "*.txt")) == ["a.txt", "deep/c.txt"]
    assert read_all(source_of(texts(), tmp_path / "d*", tmp_path / "b.log")) == ["deep/c.txt", "b.log"]
    assert read_all(source_of(texts(), tmp_path / "[ab].*")) == ["a.txt", "b.log"]
    assert read_all(source_of(texts(), tmp_path / "*.csv")) == []


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("x")
    (tmp_path / "a1.txt").write_text("y")
    assert read_all(source_of(texts(), tmp_path / "a[1].txt")) == ["x"]


def test_patterns_of_urls_are_found_by_fsspec() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ["a.json", "b.txt", "_c.json", "deep/d.json"]:
        memory.pipe(f"/penstock-patterns/{name}", f'"{name}"\n'.encode())
    try:
        assert read_all(source_of(JsonLinesFormat(), "memory://penstock-patterns/*.json")) == ["a.json"]
        assert read_all(source_of(JsonLinesFormat(), "memory://penstock-patterns/d*")) == ["deep/d.json"]
    finally:
        memory.rm("/penstock-patterns", recursive=True)


def test_columnar_files_are_read_by_url() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    with memory.open("/penstock-columns/a.parquet", "wb") as file:
        parquet.write_table(pyarrow.Table.from_pylist(RECORDS), file)
    try:
        assert read_all(source_of(ParquetColumnarRowInputFormat(), "memory://penstock-columns")) == RECORDS
    finally:
        memory.rm("/penstock-columns", recursive=True)


def test_large_files_are_shared_only_where_that_is_allowed_and_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_parts, "SMALLEST_PART_BYTES", 64)
    write_json(tmp_path / "a.json", RECORDS)
    write_json(tmp_path / "a.json.gz", RECORDS)
    many = FileEnumeratorProvider.default_splittable_file_enumerator()
    one = FileEnumeratorProvider.default_non_splittable_file_enumerator()

    def parts(builder: Any) -> list[FilePart]:
        search = (
            builder.set_split_assigner(FileSplitAssignerProvider.locality_aware_split_assigner())
            .build()
            .search
        )
        found: list[FilePart] = search.divide(search.find(), 4)
        return found

    builder = FileSource.for_record_stream_format(JsonLinesFormat(), tmp_path)
    assert len({part.path for part in parts(builder)}) == 2
    assert len([part for part in parts(builder.set_file_enumerator(many)) if part.path.endswith("json")]) > 3
    assert len(parts(builder.set_file_enumerator(one))) == 2
    quoted = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(SCHEMA), tmp_path / "a.json")
    assert len(parts(quoted)) == 1
    plain = CsvReaderFormat.for_schema(SCHEMA, newlines_in_values=False)
    assert len(parts(FileSource.for_record_stream_format(plain, tmp_path / "a.json"))) > 3


# Watching ----------------------------------------------------------------------------------------------------------------


def test_a_watched_directory_gives_each_file_once_also_after_a_restore(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a1\na2\n")
    builder = FileSource.for_record_stream_format(texts(), tmp_path).monitor_continuously(
        Duration.of_millis(10)
    )
    source = builder.build()
    assert source.get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED
    with running(source) as first:
        first.run_until(lambda: len(first.records) == 2)
        while first.step(0) is not InputStatus.NOTHING_AVAILABLE:
            pass
        (tmp_path / "b").write_text("b1\n")
        (tmp_path / "empty").write_text("")
        checkpoint = first.snapshot()
    with running(source, 1, checkpoint) as second:
        second.run_until(lambda: second.records == ["b1"])
        (tmp_path / "empty").write_text("c1\n")
        (tmp_path / "a").write_text("a1\na2\na3\n")
        second.enumerator.start()
        second.run_until(lambda: second.records == ["b1", "c1"])
        assert second.step(0) is InputStatus.NOTHING_AVAILABLE
    assert builder.process_static_file_set().build().get_boundedness() is Boundedness.BOUNDED


def test_a_search_that_fails_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory, away = tmp_path / "in", tmp_path / "away"
    directory.mkdir()
    (directory / "a").write_text("a1\n")
    source = FileSource.for_record_stream_format(texts(), directory).monitor_continuously(10).build()
    with running(source) as first:
        first.run_until(lambda: first.records == ["a1"])
        directory.rename(away)
        first.enumerator.start()
        first.enumerator.start()
        checkpoint = first.snapshot()
    with running(source, 1, checkpoint) as second:
        away.rename(directory)
        (directory / "b").write_text("b1\n")
        second.enumerator.start()
        second.run_until(lambda: second.records == ["b1"])
    said = [record.getMessage() for record in caplog.records if "looking for files" in record.getMessage()]
    assert [text.partition(";")[0] for text in said] == [
        f"looking for files in {directory} failed, for the {times}. time in a row" for times in (1, 2, 1)
    ]
    assert f"there is no file or directory {directory}" in said[0]


def test_the_first_search_has_to_succeed(tmp_path: Path) -> None:
    source = FileSource.for_record_stream_format(texts(), tmp_path / "no").monitor_continuously(10).build()
    with pytest.raises(OutsideError, match="there is no file or directory"), running(source):
        pass


def test_a_job_sees_files_that_come_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0").write_text("0\n")

    def next_file(line: str) -> str:
        (tmp_path / "new").write_text(f"{int(line) + 1}\n")
        os.replace(tmp_path / "new", tmp_path / "in" / str(int(line) + 1))
        return line

    env = StreamExecutionEnvironment.get_execution_environment()
    source = FileSource.for_record_stream_format(texts(), tmp_path / "in").monitor_continuously(5).build()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files").map(next_file)
    with stream.execute_and_collect() as found:
        assert [next(found) for _ in range(4)] == ["0", "1", "2", "3"]


# In jobs -----------------------------------------------------------------------------------------------------------------


def test_columns_become_rows_with_names_where_a_type_is_given(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", RECORDS)

    def rows(file_format: Any) -> list[Any]:
        env = StreamExecutionEnvironment.get_execution_environment()
        source = FileSource.for_bulk_file_format(file_format, tmp_path).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files").map(lambda row: row)
        with stream.execute_and_collect() as found:
            return list(found)

    names = Types.ROW_NAMED(["s", "n"], [Types.STRING(), Types.LONG()])
    assert rows(ParquetColumnarRowInputFormat(names))[0] == Row(s="é", n=0)
    assert rows(ParquetColumnarRowInputFormat())[0] == (0, "é")


def test_an_input_format_reads_what_is_at_its_path(tmp_path: Path) -> None:
    write_avro(tmp_path / "a.avro", RECORDS[:2])
    (tmp_path / "deep").mkdir()
    write_avro(tmp_path / "deep" / "b.avro", RECORDS)
    for path in (tmp_path, str(tmp_path / "a.avro")):
        env = StreamExecutionEnvironment.get_execution_environment()
        stream = env.create_input(AvroInputFormat(path, AVRO))
        assert stream.get_type() == GenericRecordAvroTypeInfo(AVRO)
        with stream.execute_and_collect() as found:
            assert list(found) == RECORDS[:2]
    texts_only = Types.MAP(Types.STRING(), Types.STRING())
    mistyped = env.create_input(AvroInputFormat(path, AVRO), texts_only)
    with mistyped.execute_and_collect() as found, pytest.raises(JobFailed, match="expected a str in field"):
        list(found)


def test_an_input_without_a_path_is_refused(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    for other in (AvroInputFormat(AVRO), ParquetColumnarRowInputFormat(), "a.avro"):
        with pytest.raises(
            ProgramError, match=r"create_input takes a format that has a path, as AvroInputFormat"
        ):
            env.create_input(other)


def test_csv_in_a_job_is_rows_of_the_type_of_its_schema(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", RECORDS[:2])
    env = StreamExecutionEnvironment.get_execution_environment()
    source = source_of(CsvReaderFormat.for_schema(SCHEMA), tmp_path)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    assert stream.get_type() == COLUMNS
    with stream.map(lambda row: row.n + 1).execute_and_collect() as found:
        assert list(found) == [1, 2]


# Schemas -----------------------------------------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    wanted = Types.ROW_NAMED(["n", "nothing"], [Types.INT(), Types.STRING()])
    write_parquet(tmp_path / "a.parquet", RECORDS)
    with pytest.raises(OutsideError, match=r"a\.parquet has no column nothing; it has n, s"):
        read_all(source_of(ParquetColumnarRowInputFormat(wanted), tmp_path))
    write_orc(tmp_path / "a.parquet", RECORDS)
    with pytest.raises(OutsideError, match=r"a\.parquet has no column nothing; it has n, s"):
        read_all(source_of(OrcColumnarRowInputFormat(wanted), tmp_path))


def test_a_column_of_another_type_is_cast_or_named(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", RECORDS)
    kinds = [Types.LONG(), Types.DOUBLE(), Types.BYTE(), Types.STRING()]
    for kind in kinds:
        source = source_of(
            ParquetColumnarRowInputFormat(Types.ROW_NAMED(["N"], [kind]), is_case_sensitive=False), tmp_path
        )
        with running(source) as run:
            assert len(run.run()) == len(RECORDS)
            assert run.outputs[0].columns[0].schema == columns.arrow_schema(Types.ROW_NAMED(["N"], [kind]))
    wrong = ParquetColumnarRowInputFormat(Types.ROW_NAMED(["s"], [Types.INT()]))
    with pytest.raises(OutsideError, match=r"the column s is of type string and cannot be read as int32"):
        read_all(source_of(wrong, tmp_path))


@dataclass
class Pair:
    """A record of these tests."""

    n: int
    s: str


def test_json_lines_become_what_is_asked_for(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", RECORDS[:1])
    assert read_all(source_of(JsonLinesFormat(Pair), tmp_path)) == [Pair(0, "é")]
    assert read_all(source_of(JsonLinesFormat(COLUMNS), tmp_path)) == [Row(n=0, s="é")]


# Arguments ---------------------------------------------------------------------------------------------------------------


def test_wrong_arguments_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="a StreamFormat is expected"):
        FileSource.for_record_stream_format("text", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="a BulkFormat is expected"):
        FileSource.for_bulk_file_format(texts(), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="needs a path"):
        FileSource.for_record_stream_format(texts())
    builder = FileSource.for_record_stream_format(texts(), tmp_path)
    with pytest.raises(ProgramError, match="takes a FileEnumeratorProvider"):
        builder.set_file_enumerator(None)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="takes a FileSplitAssignerProvider"):
        builder.set_split_assigner(None)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="Duration of 1 ms at least"):
        builder.monitor_continuously(0)
    with pytest.raises(ProgramError, match=r"the path of AvroInputFormat\(path, schema\) is text"):
        AvroInputFormat(1, AVRO)  # type: ignore[arg-type]
    with pytest.raises(
        ProgramError, match=r"the schema of AvroInputFormat\(path, schema\) is an AvroSchema, not"
    ):
        AvroInputFormat("a.avro", "record")  # type: ignore[arg-type]
    (tmp_path / "a.zip").write_text("x")
    with pytest.raises(ProgramError, match=r"files that end in \.zip are not supported"):
        read_all(builder.build())
