"""Records that cannot be read: the job fails with their place, or they are skipped and counted, or handed over."""

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.common import WatermarkStrategy
from penstock.connectors.files import source_parts
from penstock.connectors.files.source import FileSource
from penstock.contracts.output_tag import OutputTag
from penstock.data.row import Row
from penstock.data.types import Types
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import OutsideError, ProgramError
from penstock.formats import csv_columns, lines
from penstock.formats.avro import AvroInputFormat
from penstock.formats.bad_records import BadRecord, DeadLetterFile, OnError
from penstock.formats.contract import END_OF_FILE, BulkFormat, FileAccess, FilePart
from penstock.formats.csv import CsvReaderFormat, CsvSchema, CsvSchemaBuilder
from penstock.formats.json import JsonLinesFormat
from penstock.formats.orc import OrcColumnarRowInputFormat
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.text import StreamFormat
from tests.connectors import driving
from tests.connectors.driving import running

PAIR = Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])

BAD_JSON = '{"n": 1}\n\n{"n": oh}\n{"n": 2}\n{"n": "3"}\n{"n": 4}\n'
BAD_CSV = '1,a\n\n2,"b\nb"\nx,c\n3\n4,"d"e\n5,e\n'


def pair() -> CsvSchemaBuilder:
    return CsvSchema.builder().add_number_column("n", Types.INT()).add_string_column("s")


def csv_of(on_error: OnError = "fail", schema: CsvSchema | None = None) -> StreamFormat:
    return CsvReaderFormat.for_schema(schema or pair().build(), on_error)


def as_rows(records: list[Any]) -> list[Any]:
    """What functions of the user see of columns."""
    return [Row(**record) if isinstance(record, dict) else record for record in records]


def read_all(source: FileSource, parallelism: int = 1) -> list[Any]:
    return as_rows(driving.read_all(source, parallelism))


def source_of(path: Path, content: str | bytes, file_format: StreamFormat) -> FileSource:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return FileSource.for_record_stream_format(file_format, path).build()


@pytest.mark.parametrize(
    ("content", "file_format", "said"),
    [
        (BAD_JSON, JsonLinesFormat(), r"in, line 3, column 7: Expecting value"),
        ('{"n": "3"}\n', JsonLinesFormat(PAIR), r"in, line 1: a value does not fit .*in field n"),
        ("[1\n2]\n", JsonLinesFormat(), r"in, line 1, column 3"),
        (BAD_CSV, csv_of(), r"in, line 5, column 1: n is expected to be Integer: .*'x'.*'x,c'"),
        ("1,a\n1,b,c\n", csv_of(), r"in, line 2: 2 fields are expected, n, s, but there are 3"),
        ("99999999999,a\n", csv_of(), r"in, line 1, column 1: n is expected to be"),
        ('1,"never closed\n2,b', csv_of(), r"in, line 1: .*never closed"),
    ],
)
def test_a_bad_record_fails_the_job_with_its_place(
    tmp_path: Path, content: str, file_format: StreamFormat, said: str
) -> None:
    with pytest.raises(OutsideError, match=said) as caught:
        read_all(source_of(tmp_path / "in", content, file_format))
    assert not caught.value.retryable


@pytest.mark.parametrize("block_bytes", [4, 16, 8192])
def test_bad_records_are_skipped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(csv_columns, "BLOCK_BYTES", block_bytes)

    def skipped(content: str | bytes, file_format: StreamFormat) -> tuple[list[Any], int]:
        with running(source_of(tmp_path / "in", content, file_format)) as run:
            records = as_rows(run.run())
            counter = run.metrics[0]._metrics["numRecordsInErrors"]
            return records, counter.read()

    rows = [Row(n=1, s=None), Row(n=2, s=None), Row(n=4, s=None)]
    assert skipped(BAD_JSON, JsonLinesFormat(PAIR, "skip")) == (rows, 2)
    assert skipped(BAD_CSV, csv_of("skip")) == ([Row(n=1, s="a"), Row(n=2, s="b\nb"), Row(n=5, s="e")], 3)
    text = StreamFormat.text_line_format(on_error="skip")
    assert skipped(b"a\n\xff\xfe\nb\n", text) == (["a", "b"], 1)


@pytest.mark.parametrize("parallelism", [1, 3])
def test_a_function_is_given_each_bad_record_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallelism: int
) -> None:
    monkeypatch.setattr(source_parts, "SMALLEST_PART_BYTES", 16)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 8)
    given: list[BadRecord] = []
    source = source_of(tmp_path / "in", BAD_JSON * 5, JsonLinesFormat(PAIR, given.append))
    assert len(read_all(source, parallelism)) == 15
    assert sorted(record.line for record in given) == [3, 5, 9, 11, 15, 17, 21, 23, 27, 29]
    assert {record.text for record in given} == {'{"n": oh}', '{"n": "3"}'}


def test_a_dead_letter_file_keeps_bad_records(tmp_path: Path) -> None:
    keep = DeadLetterFile(tmp_path / "bad.jsonl")
    source = source_of(tmp_path / "in", BAD_CSV, csv_of(keep))
    assert [row.n for row in read_all(source)] == [1, 2, 5]
    kept = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert [(record["line"], record["text"]) for record in kept] == [(5, "x,c"), (6, "3"), (7, '4,"d"e')]
    with pytest.raises(OutsideError, match="cannot be written"):
        DeadLetterFile(tmp_path / "nowhere" / "bad")(BadRecord("a", 1, None, "", ""))
    with pytest.raises(ProgramError, match="is a local file"):
        DeadLetterFile("s3://bucket/bad")


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_side_output_of_the_source_has_the_bad_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallelism: int
) -> None:
    monkeypatch.setattr(source_parts, "SMALLEST_PART_BYTES", 16)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 8)
    unreadable: OutputTag[BadRecord] = OutputTag("unreadable")
    source = source_of(tmp_path / "in", BAD_JSON * 5, JsonLinesFormat(PAIR, unreadable))
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    records = env.from_source(source, WatermarkStrategy.no_watermarks(), "records")
    good = records.map(lambda row: (row.n, "good"))
    bad = records.get_side_output(unreadable).map(lambda record: (record.line, record.text))
    with good.union(bad).execute_and_collect() as results:
        rows = list(results)
    assert sorted(n for n, text in rows if text == "good") == sorted([1, 2, 4] * 5)
    at = {line: text for line, text in rows if text != "good"}
    assert at == {
        line + 6 * turn: text for turn in range(5) for line, text in ((3, '{"n": oh}'), (5, '{"n": "3"}'))
    }


def test_bad_records_aside_are_counted_and_come_once_though_the_source_is_restored(tmp_path: Path) -> None:
    aside: OutputTag[BadRecord] = OutputTag("aside")
    source = source_of(tmp_path / "in", BAD_CSV * 20_000, csv_of(aside))
    with running(source) as first:
        first.step(0)
        seen = list(first.outputs[0].aside["aside"])
        assert 0 < len(seen) < 60_000
        assert first.metrics[0]._metrics["numRecordsInErrors"].read() == len(seen)
        checkpoint = first.snapshot()
        first.step(0)
    with running(source, restored=checkpoint) as second:
        second.run()
        seen += second.outputs[0].aside["aside"]
    assert [record.line for record in seen] == [
        line + 8 * turn for turn in range(20_000) for line in (5, 6, 7)
    ]


def test_a_side_output_of_another_type_than_bad_records_is_refused() -> None:
    with pytest.raises(
        ProgramError, match="'bad' holds BadRecord objects, and its OutputTag declares String"
    ):
        JsonLinesFormat(on_error=OutputTag("bad", Types.STRING()))


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"on_error is 'fail', 'skip', an OutputTag .*, or a function"):
        JsonLinesFormat(on_error="ignore")


# Formats of whole files --------------------------------------------------------------------------------------------------


def an_avro_file(path: Path, records: int) -> list[bytes]:
    """Writes numbers in blocks of 10 records, and gives the bytes of the file cut where the marks between blocks are."""
    import fastavro

    schema = {"type": "record", "name": "R", "fields": [{"name": "s", "type": "string"}]}
    rows = [{"s": f"text {n}"} for n in range(records)]
    with path.open("wb") as file:
        writer = fastavro.write.Writer(file, fastavro.parse_schema(schema), sync_interval=1 << 30)
        for number, row in enumerate(rows, 1):
            writer.write(row)
            if number % 10 == 0:
                writer.flush()
    content = path.read_bytes()
    return content.split(content[-16:])


def test_a_block_of_avro_that_cannot_be_read_is_left_out_and_the_rest_comes(tmp_path: Path) -> None:
    path = tmp_path / "some.avro"
    cut = an_avro_file(path, 30)
    content = path.read_bytes()
    broken = cut[2].replace(b"text 10", b"\xff\xff\xff\xff\xff\xff\xff")
    path.write_bytes(content.replace(cut[2], broken))
    given: list[BadRecord] = []
    source = FileSource.for_bulk_file_format(AvroInputFormat(on_error=given.append), path).build()
    assert [record["s"] for record in read_all(source)] == [f"text {n}" for n in (*range(10), *range(20, 30))]
    assert [(bad.line, bad.reason[:37]) for bad in given] == [(11, "a block of 10 records cannot be read:")]
    with pytest.raises(OutsideError, match=r"some\.avro cannot be read"):
        read_all(FileSource.for_bulk_file_format(AvroInputFormat(), path).build())


def test_a_damaged_file_of_columns_ends_at_the_damage(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import orc, parquet

    table = pyarrow.table({"n": pyarrow.array(range(4000))})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=1000, compression="none")
    orc.write_table(table, tmp_path / "a.orc")
    aside: OutputTag[BadRecord] = OutputTag("aside")
    formats: dict[str, BulkFormat] = {
        "parquet": ParquetColumnarRowInputFormat(batch_size=1000, on_error=aside),
        "orc": OrcColumnarRowInputFormat(on_error=aside),
    }
    for ending, file_format in formats.items():
        path = tmp_path / f"a.{ending}"
        content = bytearray(path.read_bytes())
        if ending == "parquet":
            third = parquet.ParquetFile(path).metadata.row_group(2).column(0)
            start = third.dictionary_page_offset
            content[start : start + 40] = b"\xff" * 40
        else:
            del content[-30:]
        path.write_bytes(content)
        with running(FileSource.for_bulk_file_format(file_format, path).build()) as run:
            good = run.run()
            (bad,) = run.outputs[0].aside["aside"]
        assert [row["n"] for row in good] == list(range(len(good)))
        assert len(good) == (2000 if ending == "parquet" else 0)
        assert bad.line == len(good) + 1
        assert bad.path == str(path) and bad.reason.startswith("damaged from here on: ")


class _Unreadable(io.BytesIO):
    """A file at a store that does not answer when more than its beginning is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() + (size or 0) > 1000:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("ending", ["parquet", "orc", "avro"])
def test_a_file_that_cannot_be_read_is_no_bad_record(tmp_path: Path, ending: str) -> None:
    import fastavro
    import pyarrow
    from pyarrow import orc, parquet

    table, path = pyarrow.table({"n": [n * n * 7919 % 100_003 for n in range(4000)]}), tmp_path / "a"
    formats: dict[str, BulkFormat] = {
        "parquet": ParquetColumnarRowInputFormat(on_error="skip"),
        "orc": OrcColumnarRowInputFormat(on_error="skip"),
        "avro": AvroInputFormat(on_error="skip"),
    }
    if ending == "avro":
        schema = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "int"}]}
        with path.open("wb") as file:
            fastavro.writer(file, fastavro.parse_schema(schema), table.to_pylist(), sync_interval=500)
    elif ending == "orc":
        orc.write_table(table, path)
    else:
        parquet.write_table(table, path)
    counted: list[int] = []
    access = FileAccess(lambda _: _Unreadable(path.read_bytes()), counted.append, lambda *_: None)
    reader = formats[ending].create_reader(access)
    reader.begin(FilePart("store://a", 0, END_OF_FILE, path.stat().st_size))
    with pytest.raises(OSError, match="Input/output error"):
        list(iter(reader.read, None))
    assert not counted


# CSV's letters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "content", "rows"),
    [
        (pair().build(), "1,\n,a\n", [(1, ""), (None, "a")]),
        (pair().build(), '1,"a""b,c"\r\n2,x\r\n', [(1, 'a"b,c'), (2, "x")]),
        (pair().set_null_value("-").build(), "-,-\n1,x\n", [(None, None), (1, "x")]),
        (pair().set_column_separator("|").set_escape_char("\\").build(), "1|a\\|b\n", [(1, "a|b")]),
        (pair().set_quote_char("'").set_column_separator("|").build(), "1|'a|b'\n", [(1, "a|b")]),
        (pair().disable_quote_char().build(), "1,'a\n", [(1, "'a")]),
        (
            pair().set_allow_comments().set_use_header().set_skip_first_data_row().build(),
            "#no \"\nn,s\n#'\n0,zero\n1,#a\n#2,b\n3,c",
            [(1, "#a"), (3, "c")],
        ),
    ],
)
@pytest.mark.parametrize("block_bytes", [4, 8192])
def test_the_letters_of_a_schema_are_respected(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: CsvSchema,
    content: str,
    rows: list[Any],
    block_bytes: int,
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(csv_columns, "BLOCK_BYTES", block_bytes)
    found = read_all(source_of(tmp_path / "in", content, csv_of(schema=schema)))
    assert [tuple(row) for row in found] == rows


def test_columns_of_lists_truth_values_and_other_schemas(tmp_path: Path) -> None:
    more = CsvSchema.builder().add_boolean_column("b").add_array_column("l", ";", Types.DOUBLE()).build()
    schema = CsvSchema.builder().add_columns_from(more).add_array_column("t").build()
    assert len(schema) == 3
    found = read_all(source_of(tmp_path / "in", "TRUE,1;2.5,\nfalse,,a;b\n", csv_of(schema=schema)))
    assert found == [Row(b=True, l=[1.0, 2.5], t=[]), Row(b=False, l=[], t=["a", "b"])]


def test_strict_headers_have_the_names_of_the_schema(tmp_path: Path) -> None:
    schema = CsvSchema.builder().add_string_column("a").set_use_header().set_strict_headers().build()
    assert read_all(source_of(tmp_path / "in", "a\nx\n", csv_of(schema=schema))) == [Row(a="x")]
    with pytest.raises(OutsideError, match=r"has the header \['b'\], but the schema has the columns \['a'\]"):
        read_all(source_of(tmp_path / "in", "b\nx\n", csv_of(schema=schema)))


def test_schemas_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ProgramError, match="a column 'a' already"):
        CsvSchema.builder().add_string_column("a").add_string_column("a")
    with pytest.raises(ProgramError, match=r"must be a single char, got '\|\|'"):
        CsvSchema.builder().set_column_separator("||")
    with pytest.raises(ProgramError, match="without columns"):
        CsvReaderFormat.for_schema(CsvSchema.builder().build())
    with pytest.raises(ProgramError, match="no place for fields beyond"):
        CsvSchema.builder().set_any_property_name("rest")
