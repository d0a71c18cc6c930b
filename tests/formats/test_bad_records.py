"""Records that cannot be read: the job fails with their place, or they are skipped and counted, or handed over."""

import json
from pathlib import Path
from typing import Any

import pytest

from penstock.connectors.files import source_parts
from penstock.connectors.files.source import FileSource
from penstock.data.row import Row
from penstock.data.types import Types
from penstock.errors import OutsideError, ProgramError
from penstock.formats import lines
from penstock.formats.bad_records import BadRecord, DeadLetterFile, OnError
from penstock.formats.csv import CsvReaderFormat, CsvSchema, CsvSchemaBuilder
from penstock.formats.json import JsonLinesFormat
from penstock.formats.text import StreamFormat
from tests.connectors.driving import read_all, running

PAIR = Types.ROW_NAMED(["n", "s"], [Types.INT(), Types.STRING()])

BAD_JSON = '{"n": 1}\n\n{"n": oh}\n{"n": 2}\n{"n": "3"}\n{"n": 4}\n'
BAD_CSV = '1,a\n\n2,"b\nb"\nx,c\n3\n4,"d"e\n5,e\n'


def pair() -> CsvSchemaBuilder:
    return CsvSchema.builder().add_number_column("n", Types.INT()).add_string_column("s")


def csv_of(on_error: OnError = "fail", schema: CsvSchema | None = None) -> StreamFormat:
    return CsvReaderFormat.for_schema(schema or pair().build(), on_error)


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

    def skipped(content: str | bytes, file_format: StreamFormat) -> tuple[list[Any], int]:
        with running(source_of(tmp_path / "in", content, file_format)) as run:
            records = run.run()
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


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(ProgramError, match="on_error is 'fail', 'skip', or a function"):
        JsonLinesFormat(on_error="ignore")


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
