"""Dates, times and points in time in Parquet and ORC: what is written is read, to the microsecond."""

import datetime as d
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import orc, parquet

from penstock.common import WatermarkStrategy
from penstock.connectors.files.source import FileSource
from penstock.data.row import Row
from penstock.data.time import Instant
from penstock.data.types import Types
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import ProgramError, TypeMismatch
from penstock.formats.column_writers import OrcBulkWriters, ParquetBulkWriters
from penstock.formats.orc import OrcColumnarRowInputFormat
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from tests.connectors.driving import read_all, read_with_restore

FORMATS: dict[str, tuple[Any, Any]] = {
    "parquet": (ParquetBulkWriters.for_row_type, ParquetColumnarRowInputFormat),
    "orc": (OrcBulkWriters.for_row_type, OrcColumnarRowInputFormat),
}
LATE = d.datetime(2024, 2, 29, 23, 59, 59, 123_456)  # noqa: DTZ001
TIMES: list[tuple[Any, Any]] = [
    (Types.SQL_DATE(), LATE.date()),
    (Types.LOCAL_DATE(), LATE.date()),
    (Types.SQL_TIMESTAMP(), LATE),
    (Types.LOCAL_DATE_TIME(), LATE),
    (Types.SQL_TIME(), LATE.time()),
    (Types.LOCAL_TIME(), LATE.time()),
    (Types.INSTANT(), Instant(1, 123_456_000)),
]


def write(path: Path, row_type: Any, rows: list[Any], ending: str) -> Path:
    with path.open("wb") as out:
        writer = FORMATS[ending][0](row_type).create(out)
        try:
            writer.add_elements(rows)
        except TypeMismatch:
            writer.give_up()
            raise
        writer.finish()
    return path


def source_of(path: Path, row_type: Any, ending: str) -> FileSource:
    return FileSource.for_bulk_file_format(FORMATS[ending][1](row_type), path).build()


def read(path: Path, row_type: Any, ending: str) -> list[Any]:
    records = read_all(source_of(path, row_type, ending))
    return [Row(**record) if isinstance(record, dict) else record for record in records]


@pytest.mark.parametrize(
    ("ending", "kind", "value"),
    [
        (ending, kind, value)
        for ending in FORMATS
        for kind, value in TIMES
        if ending == "parquet" or not isinstance(value, d.time)
    ],
)
def test_times_come_back_with_their_microseconds(tmp_path: Path, ending: str, kind: Any, value: Any) -> None:
    row_type = Types.ROW_NAMED(["n", "t"], [Types.INT(), kind])
    path = write(tmp_path / "in", row_type, [(1, value), (2, None)], ending)
    assert read(path, row_type, ending) == [Row(n=1, t=value), Row(n=2, t=None)]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.none() | st.datetimes(),
            st.none() | st.times(),
            st.none() | st.builds(Instant, st.integers(-(10**12), 10**12), st.just(999_999_000) | st.just(0)),
        ),
        max_size=5,
    )
)
def test_any_time_comes_back_from_parquet(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    row_type = Types.ROW_NAMED(
        ["at", "time", "moment"], [Types.LOCAL_DATE_TIME(), Types.LOCAL_TIME(), Types.INSTANT()]
    )
    path = write(tmp_path_factory.mktemp("parquet") / "in", row_type, rows, "parquet")
    assert read(path, row_type, "parquet") == [Row(at=a, time=t, moment=m) for a, t, m in rows]


@pytest.mark.parametrize("ending", FORMATS)
def test_points_in_time_come_back_from_inside_of_values(tmp_path: Path, ending: str) -> None:
    moment, other = Instant(1, 5000), Instant(-1, 0)
    row_type = Types.ROW_NAMED(
        ["list", "row", "map", "plain"],
        [
            Types.LIST(Types.INSTANT()),
            Types.ROW_NAMED(["x", "at"], [Types.INT(), Types.INSTANT()]),
            Types.MAP(Types.STRING(), Types.INSTANT()),
            Types.LIST(Types.INT()),
        ],
    )
    rows = [([moment, None], Row(x=1, at=moment), {"a": other}, [1]), (None, None, None, None)]
    path = write(tmp_path / "in", row_type, rows, ending)
    assert read(path, row_type, ending) == [
        Row(list=[moment, None], row={"x": 1, "at": moment}, map={"a": other}, plain=[1]),
        Row(list=None, row=None, map=None, plain=None),
    ]


@pytest.mark.parametrize("ending", FORMATS)
def test_rows_with_points_in_time_are_read_in_pieces_that_checkpoints_stand_between(
    tmp_path: Path, ending: str
) -> None:
    row_type = Types.ROW_NAMED(["at"], [Types.INSTANT()])
    rows = [Row(at=Instant(n, 0)) for n in range(3000)]
    path = write(tmp_path / "in", row_type, [tuple(row) for row in rows], ending)
    source = source_of(path, row_type, ending)
    assert source.output_layout == "rows"
    assert read_with_restore(source, [0, 0], 1, 1) == rows


def test_points_in_time_go_through_a_job(tmp_path: Path) -> None:
    row_type = Types.ROW_NAMED(["at"], [Types.INSTANT()])
    path = write(tmp_path / "in", row_type, [(Instant(7, 0),)], "parquet")
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source_of(path, row_type, "parquet"), WatermarkStrategy.no_watermarks(), "files")
    with stream.map(lambda row: row.at.to_epoch_milli()).execute_and_collect() as found:
        assert list(found) == [7000]


def test_other_units_of_a_file_are_read(tmp_path: Path) -> None:
    row_type = Types.ROW_NAMED(["t", "at"], [Types.SQL_TIMESTAMP(), Types.INSTANT()])
    whole = LATE.replace(microsecond=123_000)
    for unit, zone in (("ms", "UTC"), ("ns", "Europe/Berlin")):
        moments = pyarrow.array([1_500], pyarrow.timestamp("ms", "UTC")).cast(pyarrow.timestamp(unit, zone))
        table = pyarrow.table({"t": pyarrow.array([whole], pyarrow.timestamp(unit)), "at": moments})
        parquet.write_table(table, tmp_path / "in.parquet")
        orc.write_table(table, tmp_path / "in.orc")
        for ending in FORMATS:
            found = read(tmp_path / f"in.{ending}", row_type, ending)
            assert found == [Row(t=whole, at=Instant(1, 500_000_000))]


def test_what_columns_cannot_hold_is_refused(tmp_path: Path) -> None:
    row_type = Types.ROW_NAMED(["at"], [Types.INSTANT()])
    with pytest.raises(
        TypeMismatch, match=r"field at is declared as Instant, got Instant<1, 5> .* to the microsecond"
    ):
        write(tmp_path / "in", row_type, [(Instant(1, 0),), (Instant(1, 5),)], "parquet")
    for kind in (Types.SQL_TIME(), Types.LIST(Types.LOCAL_TIME())):
        with pytest.raises(
            ProgramError, match=r"the field t is of type .*, and ORC has no type for times of day"
        ):
            OrcBulkWriters.for_row_type(Types.ROW_NAMED(["t"], [kind]))
