"""CSV read by Arrow: the same rows and the same bad records as read row by row, whatever stands in the file."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.common import WatermarkStrategy
from penstock.connectors.files.source import FileSource
from penstock.connectors.hybrid.source import HybridSource
from penstock.data.row import Row
from penstock.data.types import Types
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.formats import csv, csv_columns
from penstock.formats.bad_records import BadRecord
from penstock.formats.csv import CsvReaderFormat, CsvSchema, CsvSchemaBuilder
from tests.connectors.driving import read_all, running


def columns(*kinds: Any) -> CsvSchemaBuilder:
    builder = CsvSchema.builder()
    for number, kind in enumerate(kinds):
        builder._add(f"c{number}", kind)
    return builder


def read_both_ways(path: Path, schema: CsvSchema) -> list[Any]:
    """What each of the readers makes of a file: rows, and bad records."""
    found = []
    for by_columns in (True, False):
        bad: list[BadRecord] = []
        source = FileSource.for_record_stream_format(
            CsvReaderFormat.for_schema(schema, bad.append), path
        ).build()
        with pytest.MonkeyPatch.context() as patch:
            if not by_columns:
                patch.setattr(csv, "is_columnar", lambda schema: False)
            records = read_all(source)
        rows = [Row(**record) if isinstance(record, dict) else record for record in records]
        found.append((repr(rows), bad))
    return found


LETTERS = st.text(st.sampled_from('a1-.,,"\n\n\r 0x+eé_'), max_size=40)
FIELDS = st.sampled_from(
    [
        "1",
        "-7",
        "0x1F",
        "1.5",
        "1e3",
        "nan",
        "a",
        '"a"',
        '"a,b"',
        '"a""b"',
        '""',
        '"a"b',
        'a"b',
        "",
        " ",
        "true",
    ]
)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=3).map(",".join), max_size=8).map("\n".join)
KINDS = st.sampled_from([Types.STRING(), Types.LONG(), Types.BYTE(), Types.DOUBLE(), Types.BOOLEAN()])


@settings(max_examples=150)
@given(st.one_of(LETTERS, LINES), st.lists(KINDS, min_size=1, max_size=3), st.integers(4, 60), st.booleans())
@example('1,"a\n1",2\n', [Types.STRING()] * 3, 8, False)
@example("1\n2\r\n3\r", [Types.LONG()], 60, False)
@example('",","\n', [Types.STRING()] * 2, 60, False)
def test_both_readers_see_the_same(
    tmp_path_factory: pytest.TempPathFactory, text: str, kinds: list[Any], block_bytes: int, header: bool
) -> None:
    path = tmp_path_factory.mktemp("csv") / "in.csv"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_columns, "BLOCK_BYTES", block_bytes)
        by_columns, by_rows = read_both_ways(path, columns(*kinds).set_use_header(header).build())
    assert by_columns == by_rows


def test_a_long_field_is_read_by_every_reader(tmp_path: Path) -> None:
    long_text = "x" * 200_000
    path = tmp_path / "in.csv"
    path.write_text(f"1,{long_text}\n")
    by_columns, by_rows = read_both_ways(path, columns(Types.LONG(), Types.STRING()).build())
    assert by_columns == by_rows == (repr([Row(c0=1, c1=long_text)]), [])
    kind = Types.ROW_NAMED(["s"], [Types.STRING()])
    read = csv.CsvRowDeserializationSchema.Builder(kind).build()
    assert read.deserialize(long_text.encode()) == Row(s=long_text)


def test_arrow_reads_what_it_can(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('n,s\n1,a\n\n2,"b,c"\n3,\n,d\n')
    schema = columns(Types.INT(), Types.STRING()).set_use_header().build()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_columns.CsvLines, "parse", None)  # fails whoever falls back to rows
        found = read_all(
            FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), path).build()
        )
    assert found == [
        {"c0": 1, "c1": "a"},
        {"c0": 2, "c1": "b,c"},
        {"c0": 3, "c1": ""},
        {"c0": None, "c1": "d"},
    ]


@pytest.mark.parametrize(
    "schema",
    [
        columns(Types.BIG_DEC()).build(),
        columns(Types.FLOAT()).build(),
        columns(Types.STRING()).set_null_value("-").build(),
        columns(Types.LONG()).set_allow_comments().build(),
        columns(Types.LONG()).set_escape_char("\\").build(),
        CsvSchema.builder().add_array_column("a").build(),
    ],
)
def test_what_arrow_would_read_otherwise_is_read_as_rows(schema: CsvSchema) -> None:
    assert CsvReaderFormat.for_schema(schema).output_layout == "rows"
    assert (
        CsvReaderFormat.for_schema(columns(Types.LONG()).set_null_value("-").build()).output_layout
        == "columns"
    )


def test_functions_get_rows_with_names_also_behind_a_source_of_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("1,a\n2,b\n")
    file_format = CsvReaderFormat.for_schema(columns(Types.LONG(), Types.STRING()).build())
    files = FileSource.for_record_stream_format(file_format, tmp_path).build()
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(files, WatermarkStrategy.no_watermarks(), "files")
    with stream.map(lambda row: (row.c1, row.c0)).execute_and_collect() as results:
        assert list(results) == [("a", 1), ("b", 2)]
    both = HybridSource.builder(files).add_source(NumberSequenceSource(7, 8)).build()
    stream = env.from_source(both, WatermarkStrategy.no_watermarks(), "both")
    with stream.execute_and_collect() as results:
        assert list(results) == [Row(c0=1, c1="a"), Row(c0=2, c1="b"), 7, 8]


def test_ranges_of_a_file_are_read_by_several_readers_as_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.files.source_parts.SMALLEST_PART_BYTES", 256)
    path = tmp_path / "in.csv"
    path.write_text("".join(f"{n},{'x' * (n % 17)}\n" for n in range(500)))
    file_format = CsvReaderFormat.for_schema(
        columns(Types.LONG(), Types.STRING()).build(), newlines_in_values=False
    )
    source = FileSource.for_record_stream_format(file_format, path).build()
    with running(source, 3) as run:
        run.run()
        assert sorted(record["c0"] for record in run.records) == list(range(500))
        assert all(output.columns for output in run.outputs)
