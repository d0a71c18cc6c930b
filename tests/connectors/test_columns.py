"""CSV files and Arrow tables as columns."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.columns import arrow, source
from penstock.connectors.columns.arrow import ArrowSource
from penstock.connectors.columns.source import CsvColumnsSource, LineRange
from penstock.contracts.functions import ProcessFunction
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.watermarks import WatermarkGenerator, WatermarkStrategy
from penstock.data.time import Duration
from penstock.data.types import Types
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.errors import JobFailed, OutsideError, ProgramError
from penstock.operators.bridge import RepeatedText
from tests.connectors.driving import read_all, read_with_restore, running


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_types_are_inferred_and_can_be_declared(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'id,price,name\n1,2.5,"x, y"\n2,,\n')
    with running(CsvColumnsSource(file, {"id": "int32", "name": pyarrow.large_string()})) as run:
        assert run.run() == [{"id": 1, "price": 2.5, "name": "x, y"}, {"id": 2, "price": None, "name": ""}]
        schema = run.outputs[0].columns[0].schema
    assert schema.types == [pyarrow.int32(), pyarrow.float64(), pyarrow.large_string()]


def test_a_file_without_names_is_given_them(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "comment\n1;x\n2;y\n")
    found = read_all(CsvColumnsSource(file, None, ["n", "s"], ";", 1))
    assert found == [{"n": 1, "s": "x"}, {"n": 2, "s": "y"}]


def test_files_of_a_directory_are_shared_by_readers_and_have_one_schema(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / "in" / f"{i}.csv", f"n,empty_at_first\n{i},\n{i}0,{'' if i == 0 else 'x'}\n")
    write(tmp_path / "in" / "nothing.csv", "")
    write(tmp_path / "in" / "_SUCCESS", "no csv")
    found = read_all(CsvColumnsSource(tmp_path / "in"), 3)
    assert sorted(row["n"] for row in found) == [0, 0, 1, 2, 3, 10, 20, 30]
    assert {row["empty_at_first"] for row in found} == {"", "x"}


def test_a_file_of_names_alone_has_no_rows(tmp_path: Path) -> None:
    assert read_all(CsvColumnsSource(write(tmp_path / "a.csv", "a,b\n"))) == []


@given(st.integers(0, 60), st.lists(st.integers(0, 1), max_size=30), st.integers(1, 3))
def test_every_row_comes_once_after_a_restore(
    tmp_path_factory: pytest.TempPathFactory, rows: int, polls: list[int], later: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    for part in range(3):
        numbers = [f"{n},text {n}" for n in range(part, rows, 3)]
        write(folder / f"{part}.csv", "\n".join(["n,s", *numbers]) + "\n")
    everything = list(range(rows))
    table = pyarrow.table({"n": everything})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BATCH_ROWS", 3)
        patch.setattr(source, "BLOCK_BYTES", 64)
        patch.setattr(arrow, "BATCH_ROWS", 3)
        files = read_with_restore(CsvColumnsSource(folder), polls, 2, later)
        assert sorted(row["n"] for row in files) == everything
        assert all(row["s"] == f"text {row['n']}" for row in files)
        held = read_with_restore(ArrowSource(table), polls, 2, later)
        assert sorted(row["n"] for row in held) == everything


def test_batches_are_not_larger_than_the_limit() -> None:
    table = pyarrow.concat_tables([pyarrow.table({"n": range(150_000)}), pyarrow.table({"n": [1, 2]})])
    with running(ArrowSource(table)) as run:
        run.run()
        assert run.outputs[0].batches == [65_536, 65_536, 18_928, 2]


def test_arrow_data_in_any_form_is_taken() -> None:
    batch = pyarrow.record_batch({"n": [1, 2]})
    assert read_all(ArrowSource(batch)) == [{"n": 1}, {"n": 2}]
    assert read_all(ArrowSource([batch, batch.slice(1)])) == [{"n": 1}, {"n": 2}, {"n": 2}]
    assert read_all(ArrowSource(pyarrow.table({"n": []})), 2) == []


@pytest.mark.parametrize("given", [5, "text", [1], [], None])
def test_other_things_than_arrow_data_are_refused(given: Any) -> None:
    with pytest.raises(ProgramError, match="an Arrow source takes a table"):
        ArrowSource(given)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,x\n\n2\n3,y\n", r"bad.csv, line 4: .*Expected 2 columns, got 1: 2"),
        ("a,b\n" + "1,x\n" * 3 + "zz,y\n", r"bad.csv, line 5: .*column #0: .*int64: invalid value 'zz'"),
        ("a,b\n1,x\n" + "2,y" * 40 + "\n", r"bad.csv, line 3: .*Expected 2 columns, got 41"),
    ],
)
def test_a_malformed_row_is_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "bad.csv", text)
    with pytest.raises(OutsideError, match=message) as caught:
        read_all(CsvColumnsSource(file, {"a": "int64"}))
    assert not caught.value.retryable


def test_a_value_that_does_not_fit_what_was_inferred_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "bad.csv", "a,b\n" + "1,x\n" * 20 + "1.5,y\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK_BYTES", 32)
        with pytest.raises(OutsideError, match=r"line 22: .*invalid value '1.5'.* column_types"):
            read_all(CsvColumnsSource(file))


def test_wrong_names_types_and_delimiters_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "a,b,b\n1,2,3\n")
    with pytest.raises(ProgramError, match=r"column_types names \['x'\], but .* has the columns"):
        read_all(CsvColumnsSource(file, {"x": "int64"}))
    with pytest.raises(OutsideError, match=r"several columns named \['b'\]"):
        read_all(CsvColumnsSource(file))
    with pytest.raises(ProgramError, match="no Arrow type"):
        read_all(CsvColumnsSource(file, {"a": "integer of sorts"}))
    with pytest.raises(ProgramError, match="one ASCII character"):
        CsvColumnsSource(file, delimiter="||")
    with pytest.raises(ProgramError, match="a name twice"):
        CsvColumnsSource(file, column_names=["a", "a"])


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "in" / "1.csv", "a,b\n1,2\n")
    write(tmp_path / "in" / "2.csv", "b,c\n1,2\n")
    with pytest.raises(
        OutsideError, match=r"2.csv has the columns \['b', 'c'\], other files have \['a', 'b'\]"
    ):
        read_all(CsvColumnsSource(tmp_path / "in"))


def test_missing_and_vanishing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=r"there is no file or directory .*/nowhere.csv"):
        read_all(CsvColumnsSource(tmp_path / "nowhere.csv"))
    file = write(tmp_path / "a.csv", "a\n1\n")
    with running(CsvColumnsSource(file)) as run:
        file.unlink()
        with pytest.raises(OutsideError, match=r"there is no file or directory .*/a.csv"):
            run.run()


@pytest.mark.parametrize("parallelism", [1, 2])
def test_each_line_of_a_large_file_is_read_once_by_ranges(
    parallelism: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.columns.source.SPLIT_BYTES", 64)
    path = tmp_path / "numbers.csv"
    path.write_text("n,text\n" + "".join(f"{n},{'x' * (n % 50)}\n" for n in range(500)))
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    source = CsvColumnsSource(path, include_columns=["n"])
    rows = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").map(lambda row: row)
    with rows.execute_and_collect() as results:
        assert sorted(results) == [(n,) for n in range(500)]


@pytest.mark.parametrize("bytes_per_range", [1, 2, 3, 7, 1000])
def test_ranges_share_out_the_lines_wherever_they_are_cut(bytes_per_range: int, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(b"a,b\n\n1,2\n33,44\n5,6")
    size = path.stat().st_size
    cuts = [*range(0, size, bytes_per_range), size]
    parts = []
    for start, end in pairwise(cuts):
        with LineRange(str(path), start, None if end == size else end) as lines:
            parts.append(lines.readall())
    assert b"".join(parts) == path.read_bytes()
    assert all(part.endswith(b"\n") for part in [part for part in parts if part][:-1])


def test_a_bad_row_of_a_later_range_is_named_by_its_line_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.connectors.columns.source.SPLIT_BYTES", 64)
    path = tmp_path / "numbers.csv"
    lines = [f"{n},{n}" for n in range(100)]
    lines[70] = "70,70,70"
    path.write_text("\n".join(["a,b", *lines]) + "\n")
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_source(CsvColumnsSource(path), WatermarkStrategy.no_watermarks(), "numbers").print()
    with pytest.raises(JobFailed, match=r"numbers\.csv, line 72"):
        env.execute()


def test_columns_that_are_not_there_cannot_be_included(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="include_columns"):
        CsvColumnsSource("x.csv", column_names=["a"], include_columns=["b"])


def test_a_word_that_comes_again_is_the_same_object() -> None:
    text = RepeatedText()
    first = text.encode(pyarrow.array(["ann", "bob"] * 8)).to_python(0, 16)
    second = text.encode(pyarrow.array(["bob", "ann"] * 8)).to_python(3, 2)
    assert first == ["ann", "bob"] * 8
    assert second == ["ann", "bob"]
    assert second[0] is first[0]


@given(st.integers(1, 3_000), st.integers(1, 3_000))
def test_texts_are_the_same_however_often_they_come_again(rows: int, distinct: int) -> None:
    texts = [f"text {n * 7919 % distinct}" for n in range(rows)]
    text = RepeatedText()
    for _ in range(2):
        assert text.encode(pyarrow.array(texts)).to_python(0, rows) == texts


def test_only_a_sample_of_texts_that_are_mostly_distinct_is_looked_at() -> None:
    """Loading what encodes them takes as long as reading a small file."""
    script = (
        "import pyarrow, sys\n"
        "from penstock.operators.bridge import RepeatedText\n"
        "RepeatedText().encode(pyarrow.array([f'text {n}' for n in range(20_000)]))\n"
        "assert 'pyarrow.compute' not in sys.modules\n"
        "RepeatedText().encode(pyarrow.array([f'text {n % 1_000}' for n in range(20_000)]))\n"
        "assert 'pyarrow.compute' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_texts_that_are_mostly_distinct_are_left_alone() -> None:
    texts = [f"text {n}" for n in range(100)]
    assert RepeatedText().encode(pyarrow.array(texts)).to_python(10, 90) == texts[10:]


class TimesOf(ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        yield value, ctx.timestamp()


def test_event_times_are_taken_from_the_rows_of_columns() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(
        lambda row, before: row[0] * 1000
    )
    source = ArrowSource(pyarrow.table({"at": [1, 2], "text": ["a", "b"]}))
    with env.from_source(source, strategy, "events").process(TimesOf()).execute_and_collect() as results:
        assert list(results) == [((1, "a"), 1000), ((2, "b"), 2000)]


def test_watermarks_of_columns_let_windows_fire_and_late_rows_be_known() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.get_config().set_auto_watermark_interval(0)

    class AtEach(WatermarkGenerator):
        def on_event(self, event: Any, event_timestamp: int, output: Any) -> None:
            output.emit_watermark(event_timestamp)

        def on_periodic_emit(self, output: Any) -> None:
            pass

    strategy = WatermarkStrategy.for_generator(AtEach).with_timestamp_assigner(lambda row, before: row[0])
    source = ArrowSource(pyarrow.table({"at": [1, 25, 2, 31]}))
    late: OutputTag[Any] = OutputTag("late")
    counts = (
        env.from_source(source, strategy, "events")
        .map(lambda row: ("all", 1, row[0]))
        .key_by(lambda pair: pair[0])
        .window(TumblingEventTimeWindows.of(Duration.of_millis(10)))
        .side_output_late_data(late)
        .reduce(lambda a, b: (a[0], a[1] + b[1], a[2]))
    )
    found = counts.map(lambda count: count[1:]).union(
        counts.get_side_output(late).map(lambda row: ("late", row[2]))
    )
    with found.execute_and_collect() as results:
        assert sorted(results, key=str) == [("late", 2), (1, 1), (1, 25), (1, 31)]


def test_rows_of_another_declared_type_are_checked() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = ArrowSource(pyarrow.table({"n": [1]}))
    rows = env.from_source(
        source, WatermarkStrategy.no_watermarks(), "rows", Types.ROW_NAMED(["n"], [Types.STRING()])
    )
    with pytest.raises(JobFailed, match="field n"):
        rows.execute_and_collect(limit=1)
