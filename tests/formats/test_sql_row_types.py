"""Formats take types of ``DataTypes`` as PyFlink's do: row types of Parquet and ORC, and types of CSV's columns."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Row, Types, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink, FileSource
from penstock.datastream.formats.csv import CsvReaderFormat, CsvSchema
from penstock.datastream.formats.orc import OrcBulkWriters, OrcColumnarRowInputFormat
from penstock.datastream.formats.parquet import ParquetBulkWriters, ParquetColumnarRowInputFormat
from penstock.errors import ProgramError
from penstock.table import DataTypes

ROW_TYPE = DataTypes.ROW(
    [
        DataTypes.FIELD("id", DataTypes.BIGINT(nullable=False)),
        DataTypes.FIELD("name", DataTypes.STRING()),
        DataTypes.FIELD("price", DataTypes.DECIMAL(10, 2)),
        DataTypes.FIELD("day", DataTypes.DATE()),
        DataTypes.FIELD("at", DataTypes.TIMESTAMP(6)),
        DataTypes.FIELD("tags", DataTypes.ARRAY(DataTypes.STRING())),
        DataTypes.FIELD(
            "inner",
            DataTypes.ROW([DataTypes.FIELD("x", DataTypes.INT()), DataTypes.FIELD("y", DataTypes.DOUBLE())]),
        ),
    ]
)
ROWS = [
    Row(id=1, name="a", price=Decimal("1.25"), day=date(2024, 2, 29), at=datetime(2024, 2, 29, 1, 2, 3, 456789),  # noqa: DTZ001
        tags=["x", None], inner=Row(x=1, y=0.5)),
    Row(id=2, name=None, price=None, day=None, at=None, tags=None, inner=None),
]  # fmt: skip


def write(rows: list[Any], factory: Any, folder: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection(rows).sink_to(FileSink.for_bulk_format(str(folder), factory).build())
    env.execute()


def read(input_format: Any, folder: Path) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = FileSource.for_bulk_file_format(input_format, str(folder)).build()
    with (
        env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
        .map(lambda row: row)
        .execute_and_collect() as results
    ):
        return list(results)


def test_parquet_keeps_rows_of_a_row_type_with_its_digits_and_which_columns_have_no_none(
    tmp_path: Path,
) -> None:
    from pyarrow import parquet

    write(ROWS, ParquetBulkWriters.for_row_type(ROW_TYPE), tmp_path)
    (part,) = (path for path in tmp_path.rglob("*") if path.is_file())
    schema = parquet.read_schema(part)
    assert [(field.name, str(field.type), field.nullable) for field in schema][:5] == [
        ("id", "int64", False),
        ("name", "string", True),
        ("price", "decimal128(10, 2)", True),
        ("day", "date32[day]", True),
        ("at", "timestamp[us]", True),
    ]
    rows = read(ParquetColumnarRowInputFormat(ROW_TYPE), tmp_path)
    assert [row.as_dict() for row in rows] == [
        {**ROWS[0].as_dict(), "inner": {"x": 1, "y": 0.5}},
        ROWS[1].as_dict(),
    ]


def test_orc_keeps_rows_of_a_row_type(tmp_path: Path) -> None:
    fields = [ROW_TYPE[name] for name in ("id", "name", "price", "day", "tags")]
    row_type = DataTypes.ROW(fields)
    rows = [row.get_fields_by_names(row_type.names) for row in ROWS]
    write([tuple(row) for row in rows], OrcBulkWriters.for_row_type(row_type), tmp_path)
    assert [list(row) for row in read(OrcColumnarRowInputFormat(row_type), tmp_path)] == rows


def test_a_column_without_none_refuses_it_with_its_name(tmp_path: Path) -> None:
    rows = [(None, "a", None, None, None, None, None)]
    with pytest.raises(Exception, match=r"(?s)'?id'?.*(non-nullable|null)"):
        write(rows, ParquetBulkWriters.for_row_type(ROW_TYPE), tmp_path)


def test_csv_columns_are_of_data_types(tmp_path: Path) -> None:
    schema = (
        CsvSchema.builder()
        .add_number_column("id", number_type=DataTypes.INT())
        .add_number_column("price", number_type=DataTypes.DECIMAL(10, 2))
        .add_array_column("list", ",", element_type=DataTypes.DOUBLE())
        .add_string_column("name")
        .set_column_separator("|")
        .build()
    )
    assert schema.row_type() == Types.ROW_NAMED(
        ["id", "price", "list", "name"],
        [Types.INT(), Types.BIG_DEC(), Types.LIST(Types.DOUBLE()), Types.STRING()],
    )
    path = tmp_path / "in.csv"
    path.write_text("1|1.25|0.5,2|a\n2|||b\n")
    env = StreamExecutionEnvironment.get_execution_environment()
    source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(path)).build()
    with env.from_source(source, WatermarkStrategy.no_watermarks(), "csv").execute_and_collect() as results:
        assert list(results) == [
            Row(id=1, price=Decimal("1.25"), list=[0.5, 2.0], name="a"),
            Row(id=2, price=None, list=[], name="b"),
        ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ParquetColumnarRowInputFormat(DataTypes.INT()),  # type: ignore[arg-type]
        lambda: OrcColumnarRowInputFormat(Types.INT()),  # type: ignore[arg-type]
        lambda: ParquetBulkWriters.for_row_type(["a"]),  # type: ignore[arg-type]
        lambda: OrcBulkWriters.for_row_type(None),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_row_type_is_refused_with_both_ways_to_make_one(make: Any) -> None:
    with pytest.raises(ProgramError, match=r"Types.ROW_NAMED\(names, types\) or DataTypes.ROW\(fields\)"):
        make()


def test_a_column_of_no_type_is_refused_with_both_kinds_of_types() -> None:
    with pytest.raises(
        ProgramError, match=r"'id' is one of Types, as Types.INT\(\), or of DataTypes, not 'INT'"
    ):
        CsvSchema.builder().add_number_column("id", "INT")  # type: ignore[arg-type]


def test_times_to_the_microsecond_are_columns(tmp_path: Path) -> None:
    row_type = Types.ROW_NAMED(["t", "d"], [Types.LOCAL_TIME(), Types.LOCAL_DATE()])
    rows = [(time(1, 2, 3, 456789), date(2024, 2, 29))]
    write(rows, ParquetBulkWriters.for_row_type(row_type), tmp_path)
    assert list(map(tuple, read(ParquetColumnarRowInputFormat(row_type), tmp_path))) == rows
