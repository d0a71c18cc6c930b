"""Files that are written as a whole: Parquet, ORC, Avro and CSV."""

from pathlib import Path
from typing import Any

import pyarrow
import pytest

from penstock.connectors.columns.arrow import ArrowSource
from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy
from penstock.connectors.files.layout import BucketAssigner, RollingPolicy
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.source import Source
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.row import Row
from penstock.data.types import Types
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed, OutsideError, ProgramError
from penstock.formats.avro import AvroInputFormat, AvroSchema
from penstock.formats.column_writers import OrcBulkWriters, ParquetBulkWriters
from penstock.formats.csv import CsvReaderFormat, CsvSchema
from penstock.formats.orc import OrcColumnarRowInputFormat
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.record_writers import AvroBulkWriters, CsvBulkWriters
from penstock.formats.text import StreamFormat
from penstock.plan.compile import compile_graph
from tests.connectors.sinking import ForRecord, ForWriter
from tests.plan.job_text import job_text

ROWS = Types.ROW_NAMED(["id", "name", "tags"], [Types.LONG(), Types.STRING(), Types.LIST(Types.INT())])
VALUES = [(1, "a", [1, 2]), (2, None, []), (3, "ü", [3])]
PERSON = AvroSchema.parse_string(
    '{"type": "record", "name": "Person", "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]}'
)


def write(folder: Path, factory: Any, values: list[Any], type_info: Any = None) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    builder = FileSink.for_bulk_format(str(folder), factory)
    sink = builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner()).build()
    env.from_collection(values, type_info).sink_to(sink)
    env.execute()


def read(folder: Path, file_format: Any) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    begin = (
        FileSource.for_record_stream_format
        if isinstance(file_format, StreamFormat)
        else FileSource.for_bulk_file_format
    )
    source = begin(file_format, str(folder)).build()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    with stream.execute_and_collect() as results:
        return list(results)


@pytest.mark.parametrize(
    ("factory", "file_format"),
    [
        (ParquetBulkWriters.for_row_type(ROWS), ParquetColumnarRowInputFormat(ROWS)),
        (ParquetBulkWriters.for_row_type(ROWS, compression="zstd"), ParquetColumnarRowInputFormat(ROWS)),
        (OrcBulkWriters.for_row_type(ROWS), OrcColumnarRowInputFormat(ROWS)),
    ],
)
def test_rows_come_back_from_files_of_columns(factory: Any, file_format: Any, tmp_path: Path) -> None:
    write(tmp_path, factory, VALUES)
    assert [tuple(row) for row in read(tmp_path, file_format)] == VALUES


def test_many_rows_are_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet

    monkeypatch.setattr("penstock.formats.column_writers.ROW_GROUP_ROWS", 4)
    write(tmp_path, ParquetBulkWriters.for_row_type(Types.ROW_NAMED(["n"], [Types.INT()])), [(1,)] * 10)
    (path,) = tmp_path.iterdir()
    opened = parquet.ParquetFile(path)
    assert opened.metadata.num_rows == 10 and opened.num_row_groups > 1


def test_nested_rows_are_written_by_their_names(tmp_path: Path) -> None:
    from pyarrow import parquet

    inner = Types.ROW_NAMED(["x"], [Types.INT()])
    write(tmp_path, ParquetBulkWriters.for_row_type(Types.ROW_NAMED(["a"], [inner])), [Row(Row(x=1))])
    assert parquet.read_table(tmp_path).to_pylist() == [{"a": {"x": 1}}]


def test_dicts_and_rows_come_back_from_avro(tmp_path: Path) -> None:
    write(tmp_path, AvroBulkWriters.for_generic_record(PERSON), [{"id": 1, "name": "a"}, Row(id=2, name="b")])
    assert read(tmp_path, AvroInputFormat(PERSON)) == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def test_csv_files_have_a_header_where_the_schema_has_one(tmp_path: Path) -> None:
    schema = (
        CsvSchema.builder().add_number_column("id").add_string_column("name").set_use_header(True).build()
    )
    write(tmp_path, CsvBulkWriters.for_schema(schema), [(1, "a,b"), (2, "c")])
    (path,) = tmp_path.iterdir()
    assert path.read_text() == 'id,name\n1,"a,b"\n2,c\n'
    assert [tuple(row) for row in read(tmp_path, CsvReaderFormat.for_schema(schema))] == [
        (1, "a,b"),
        (2, "c"),
    ]


@pytest.mark.parametrize(
    ("factory", "value", "message"),
    [
        (
            ParquetBulkWriters.for_row_type(ROWS),
            ("x", "a", []),
            "the field id is declared as Long, got 'x' of type str",
        ),
        (ParquetBulkWriters.for_row_type(ROWS), (1, "a"), "a row of the 3 fields id, name, tags is expected"),
        (
            AvroBulkWriters.for_generic_record(PERSON),
            {"id": "x", "name": "a"},
            "the field id of Person is declared as long in the Avro schema, got",
        ),
    ],
)
def test_a_value_of_another_type_names_the_field_what_is_expected_and_what_came(
    factory: Any, value: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(JobFailed) as raised:
        write(tmp_path, factory, [value])
    assert message in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_are_refused_where_they_are_made() -> None:
    bulk = FileSink.for_bulk_format("/data", ParquetBulkWriters.for_row_type(ROWS))
    with pytest.raises(ProgramError, match="must be OnCheckpointRollingPolicy for bulk format"):
        bulk.with_rolling_policy(RollingPolicy.default_rolling_policy())
    with pytest.raises(ProgramError, match="takes a BulkWriterFactory, not 1"):
        FileSink.for_bulk_format("/data", 1)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match=r"one of snappy, .* not 'lzo'"):
        ParquetBulkWriters.for_row_type(ROWS, compression="lzo")
    with pytest.raises(ProgramError, match="At least one of size threshold"):
        FileCompactStrategy.builder().build()


def test_parquet_files_are_put_together_record_by_record(tmp_path: Path) -> None:
    compactor = FileCompactor.record_wise_file_compactor(ParquetColumnarRowInputFormat(ROWS))
    strategy = FileCompactStrategy.builder().enable_compaction_on_checkpoint(10).build()
    builder = FileSink.for_bulk_format(str(tmp_path), ParquetBulkWriters.for_row_type(ROWS))
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    sink = builder.enable_compact(strategy, compactor).build()
    writer: Any = sink.create_writer(ForWriter())
    for value in VALUES:
        writer.write(value, ForRecord())
        writer.flush(False)
        assert writer.prepare_commit() == []
    writer.flush(True)
    assert sink.create_committer().commit(writer.prepare_commit()) == []
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("compacted-part-")
    assert [tuple(row) for row in read(tmp_path, ParquetColumnarRowInputFormat(ROWS))] == VALUES


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from penstock.contracts.serialization import Encoder

    opened = Path("/dev/full").open
    monkeypatch.setattr("penstock.connectors.files.writer.open_new_file", lambda path: opened("wb"))
    sink = FileSink.for_row_format(str(tmp_path), Encoder.simple_string_encoder()).build()
    writer: Any = sink.create_writer(ForWriter())
    writer.write("a", ForRecord())
    with pytest.raises(OutsideError, match=r"inprogress\S+ cannot be written: No space left on device"):
        writer.flush(True)
    writer.close()


# Columns -----------------------------------------------------------------------------------------------------------------


def copy(source: Source, folder: Path, factory: Any, assigner: BucketAssigner | None = None) -> str:
    """Write what a source of columns reads, and give the plan of the job."""
    env = StreamExecutionEnvironment.get_execution_environment()
    builder = FileSink.for_bulk_format(str(folder), factory)
    builder.with_bucket_assigner(assigner or BucketAssigner.base_path_bucket_assigner())
    env.from_source(source, WatermarkStrategy.no_watermarks(), "columns").sink_to(builder.build())
    plan = job_text(compile_graph(env.get_stream_graph(clear_transformations=False)))
    env.execute()
    return plan


@pytest.mark.parametrize(
    ("factory", "file_format"),
    [
        (ParquetBulkWriters.for_row_type(ROWS), ParquetColumnarRowInputFormat(ROWS)),
        (OrcBulkWriters.for_row_type(ROWS), OrcColumnarRowInputFormat(ROWS)),
    ],
)
def test_columns_are_written_without_becoming_rows(tmp_path: Path, factory: Any, file_format: Any) -> None:
    ids, names, tags = zip(*VALUES, strict=True)
    table = pyarrow.table({"x": ids, "y": names, "z": tags})
    plan = copy(ArrowSource(table), tmp_path / "a", factory)
    assert "ColumnsToRows" not in plan
    assert [tuple(row) for row in read(tmp_path / "a", file_format)] == VALUES
    write(tmp_path / "b", factory, VALUES)
    assert read(tmp_path / "a", file_format) == read(tmp_path / "b", file_format)
    again = FileSource.for_bulk_file_format(file_format, str(tmp_path / "a")).build()
    assert "ColumnsToRows" not in copy(again, tmp_path / "c", factory)
    assert [tuple(row) for row in read(tmp_path / "c", file_format)] == VALUES


def test_columns_become_records_of_avro_by_their_names(tmp_path: Path) -> None:
    table = pyarrow.table({"name": ["Ada", "Emmy"], "id": [1, 2]})
    plan = copy(ArrowSource(table), tmp_path, AvroBulkWriters.for_generic_record(PERSON))
    assert "ColumnsToRows" not in plan
    assert read(tmp_path, AvroInputFormat()) == [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Emmy"}]


def test_columns_become_rows_where_the_bucket_depends_on_them_or_the_format_is_of_rows(
    tmp_path: Path,
) -> None:
    class ByFirst(BucketAssigner):
        def get_bucket_id(self, element: Any, context: Any) -> str:
            return f"n={element[0]}"

    numbers = Types.ROW_NAMED(["n"], [Types.LONG()])
    source = ArrowSource(pyarrow.table({"n": [1, 2]}))
    plan = copy(source, tmp_path / "a", ParquetBulkWriters.for_row_type(numbers), ByFirst())
    assert "ColumnsToRows" in plan
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["n=1", "n=2"]
    csv = CsvBulkWriters.for_schema(CsvSchema.of_type(numbers))
    assert "ColumnsToRows" in copy(source, tmp_path / "b", csv)
    assert "".join(path.read_text() for path in (tmp_path / "b").iterdir()) == "1\n2\n"


@pytest.mark.parametrize(
    ("column", "declared", "said"),
    [
        (["1"], Types.INT(), "the field f is declared as Integer, got a column of type string"),
        (
            [2**40],
            Types.INT(),
            "the field f is declared as Integer, got a column of type int64: .*not in range",
        ),
        ([1.5], Types.LONG(), "the field f is declared as Long, got a column of type double"),
        ([1], Types.STRING(), "the field f is declared as String, got a column of type int64"),
        ([True], Types.INT(), "the field f is declared as Integer, got a column of type bool"),
    ],
)
def test_a_column_that_does_not_fit_names_its_field(
    tmp_path: Path, column: list[Any], declared: Any, said: str
) -> None:
    factory = ParquetBulkWriters.for_row_type(Types.ROW_NAMED(["f"], [declared]))
    with pytest.raises(JobFailed, match=said):
        copy(ArrowSource(pyarrow.table({"f": column})), tmp_path, factory)
    with pytest.raises(JobFailed, match="columns of the 1 fields f are expected, got f, g"):
        copy(ArrowSource(pyarrow.table({"f": column, "g": column})), tmp_path, factory)


@pytest.mark.parametrize(
    ("column", "declared"),
    [
        (pyarrow.array([1, None], pyarrow.int8()), Types.LONG()),
        (pyarrow.array([1, 2], pyarrow.int64()), Types.DOUBLE()),
        (pyarrow.array(["a", "a"]).dictionary_encode(), Types.STRING()),
        (pyarrow.array([0, 1000], pyarrow.timestamp("us")), Types.SQL_TIMESTAMP()),
        (pyarrow.nulls(2), Types.BOOLEAN()),
    ],
)
def test_columns_of_a_kindred_type_are_taken(tmp_path: Path, column: Any, declared: Any) -> None:
    kind = Types.ROW_NAMED(["f"], [declared])
    copy(ArrowSource(pyarrow.table({"f": column})), tmp_path, ParquetBulkWriters.for_row_type(kind))
    found = [row[0] for row in read(tmp_path, ParquetColumnarRowInputFormat(kind))]
    assert found == column.to_pylist()
