"""Files as programs before FileSource and FileSink read and wrote them."""

from pathlib import Path

import pytest

from penstock.common import Types
from penstock.connectors.files.plain import FileProcessingMode, WriteMode
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed, ProgramError
from penstock.formats.json import JsonLinesFormat
from penstock.formats.text import StreamFormat

PAIR = Types.TUPLE([Types.STRING(), Types.BOOLEAN()])


def test_text_is_written_into_one_file_in_the_form_of_the_type(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([("a", True), ("b", False)], PAIR).write_as_text(str(tmp_path / "out.txt"))
    env.execute()
    assert (tmp_path / "out.txt").read_text() == "(a,true)\n(b,false)\n"


def test_several_writers_write_files_with_numbers(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
    env.from_sequence(1, 10).write_as_text(str(tmp_path / "out"))
    env.execute()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1", "2"]
    lines = [line for path in (tmp_path / "out").iterdir() for line in path.read_text().split()]
    assert sorted(map(int, lines)) == list(range(1, 11))


def test_fields_of_tuples_are_written_with_delimiters(tmp_path: Path) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    pairs = env.from_collection([("a", True), ("b", False)], PAIR)
    pairs.write_as_csv(str(tmp_path / "out.csv"), WriteMode.OVERWRITE, "\r\n", ";")
    env.execute()
    assert (tmp_path / "out.csv").read_bytes() == b"a;true\r\nb;false\r\n"


def test_what_is_no_tuple_is_refused_by_its_type() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    with pytest.raises(ProgramError, match="can only be used on data streams of tuples, and this one is of"):
        env.from_collection(["a"], Types.STRING()).write_as_csv("out.csv")


def test_a_file_that_is_there_is_overwritten_only_where_the_mode_says_so(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before\n")
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_elements("a").write_as_text(str(path))
    with pytest.raises(JobFailed, match=r"out\.txt is there already.*WriteMode\.OVERWRITE"):
        env.execute()
    assert path.read_text() == "before\n"
    env.from_elements("a").write_as_text(str(path), WriteMode.OVERWRITE)
    env.execute()
    assert path.read_text() == "a\n"


def test_files_are_read_by_a_format_once_or_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    env = StreamExecutionEnvironment.get_execution_environment()
    with env.read_file(JsonLinesFormat(), str(tmp_path)).execute_and_collect() as results:
        assert list(results) == [{"n": 1}, {"n": 2}]
    lines = env.read_file(
        StreamFormat.text_line_format(), str(tmp_path), FileProcessingMode.PROCESS_CONTINUOUSLY, 10
    )
    assert lines.execute_and_collect(limit=2) == ['{"n": 1}', '{"n": 2}']
    with pytest.raises(ProgramError, match="watch_type is a FileProcessingMode, not 'once'"):
        env.read_file(StreamFormat.text_line_format(), str(tmp_path), "once")
