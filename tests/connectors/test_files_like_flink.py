"""Files read and written as Flink 2.3 does; its rows were recorded, see tests/results/java/README.md."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from penstock.connectors.files.layout import BucketAssigner, OutputFileConfig, RollingPolicy
from penstock.connectors.files.plain import FileProcessingMode
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.serialization import Encoder
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.environment import StreamExecutionEnvironment
from penstock.formats.text import StreamFormat

ROWS = Path(__file__).parents[1] / "results" / "java" / "files-rows.txt"
RANDOM = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def recorded(title: str) -> list[str]:
    """The lines below a title."""
    for part in ROWS.read_text().split("# ")[1:]:
        first, *lines = part.splitlines()
        if first == title:
            return lines
    raise AssertionError(f"nothing was recorded for {title}")


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def rows(stream: Any) -> list[Any]:
    with stream.execute_and_collect() as results:
        return sorted(results)


@pytest.fixture
def nested(tmp_path: Path) -> str:
    for name in ("a.txt", "deep/b.txt", "_under.txt", ".dot.txt", "_folder/c.txt", ".folder/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    return str(tmp_path)


def test_read_file_reads_directories_inside_only_where_it_is_told(nested: str) -> None:
    lines = StreamFormat.text_line_format()
    assert rows(environment().read_file(lines, nested)) == recorded("readFile, nested false")
    assert rows(environment().read_text_file(nested)) == recorded("readFile, nested false")
    both = environment().read_file(lines, nested, nested_file_enumeration=True)
    assert rows(both) == recorded("readFile, nested true")


def test_a_file_source_reads_directories_inside(nested: str) -> None:
    source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), nested).build()
    stream = environment().from_source(source, WatermarkStrategy.no_watermarks(), "files")
    assert rows(stream) == recorded("FileSource")


def test_a_changed_file_is_read_again_as_a_whole(tmp_path: Path) -> None:
    first = tmp_path / "first.txt"
    first.write_text("one\n")
    mode = FileProcessingMode.PROCESS_CONTINUOUSLY
    stream = environment().read_file(StreamFormat.text_line_format(), str(tmp_path), mode, 10)
    said = []
    with stream.execute_and_collect() as results:
        said.append(f"first: {next(results)}")
        # In one piece, as nobody knows when the files are looked at.
        (tmp_path / ".new").write_text("one\ntwo\n")
        os.replace(tmp_path / ".new", first)
        said.append(f"changed: {next(results)}, {next(results)}")
        (tmp_path / ".new").write_text("later\n")
        os.replace(tmp_path / ".new", tmp_path / "third.txt")
        said.append(f"then: {next(results)}")
    assert said == recorded("PROCESS_CONTINUOUSLY")


class Parity(BucketAssigner):
    def get_bucket_id(self, element: Any, context: Any) -> str:
        return "odd" if element % 2 else "even"


@pytest.mark.parametrize(
    ("title", "assigner", "config", "size"),
    [
        ("one", None, OutputFileConfig(), 1 << 20),
        ("base", BucketAssigner.base_path_bucket_assigner(), OutputFileConfig(), 1 << 20),
        ("named", Parity(), OutputFileConfig("words", ".txt"), 1 << 20),
        ("rolled", Parity(), OutputFileConfig(), 4),
    ],
)
def test_files_of_a_sink_have_the_names_and_the_records(
    title: str, assigner: BucketAssigner | None, config: OutputFileConfig, size: int, tmp_path: Path
) -> None:
    assert written(tmp_path, 1, assigner, config, size) == recorded(f"FileSink, {title}")


@pytest.mark.slow
def test_subtasks_of_a_sink_have_names_of_their_own(tmp_path: Path) -> None:
    found = written(tmp_path, 2, Parity(), OutputFileConfig(), 1 << 20)
    assert [line.partition(":")[0] for line in found] == [
        line.partition(":")[0] for line in recorded("FileSink, two")
    ]


def written(
    folder: Path, parallelism: int, assigner: BucketAssigner | None, config: OutputFileConfig, size: int
) -> list[str]:
    """What the files below a folder are called, and what is in them."""
    env = environment(parallelism)
    builder = FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
    builder.with_output_file_config(config)
    builder.with_rolling_policy(RollingPolicy.default_rolling_policy(part_size=size))
    if assigner is not None:
        builder.with_bucket_assigner(assigner)
    env.from_sequence(1, 10).sink_to(builder.build())
    env.execute()
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            name = re.sub(
                r"\d{4}-\d\d-\d\d--\d\d", "HOUR", RANDOM.sub("RANDOM", str(path.relative_to(folder)))
            )
            found.append(f"{name}: {' '.join(path.read_text().split())}")
    return sorted(found)
