"""Files on a real HDFS, by WebHDFS: read, written exactly once, watched, and the words of the NameNode in errors."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.common import Configuration
from penstock.connectors.files.layout import BucketAssigner
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.serialization import Encoder
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.types import Types
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed, OutsideError
from penstock.formats.column_writers import ParquetBulkWriters
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.text import StreamFormat
from penstock.storage.reading import find_files, open_buffered
from penstock.storage.writing import files_below, put_in_place, write_in_place, write_new_file
from tests.missing import leave_out_for_want_of
from tests.services.hdfs import HADOOP, NoHdfs, running_hdfs

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
NUMBERS = Types.ROW_NAMED(["n"], [Types.LONG()])


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with running_hdfs(tmp_path_factory.mktemp("hdfs")) as url:
            yield url
    except NoHdfs as reason:
        leave_out_for_want_of(f"HDFS {HADOOP}", str(reason))


def lines_of(url: str) -> Any:
    return FileSource.for_record_stream_format(StreamFormat.text_line_format(), url)


def read(source: Any) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    with stream.execute_and_collect() as results:
        return list(results)


def content_of(url: str) -> bytes:
    with open_buffered(url) as file:
        return file.read()


class FailsOnce:
    failed = False

    def __call__(self, number: int) -> str:
        if number == 3_000 and not FailsOnce.failed:
            FailsOnce.failed = True
            raise RuntimeError("on purpose")
        return str(number)


def test_lines_are_written_once_and_read_though_the_job_fails(hdfs: str) -> None:
    settings = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "1 ms",
        "execution.checkpointing.interval": "200 ms",
        "execution.checkpointing.dir": f"{hdfs}/checkpoints",
    }
    FailsOnce.failed = False
    env = StreamExecutionEnvironment.get_execution_environment(Configuration.from_dict(settings))
    sink = FileSink.for_row_format(f"{hdfs}/lines", Encoder.simple_string_encoder())
    env.from_sequence(1, 5_000).map(FailsOnce()).sink_to(sink.build())
    env.execute()
    assert FailsOnce.failed
    assert [name for name in files_below(f"{hdfs}/lines") if "inprogress" in name] == []
    assert sorted(map(int, read(lines_of(f"{hdfs}/lines").build()))) == list(range(1, 5_001))


def test_parquet_comes_back(hdfs: str) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    builder = FileSink.for_bulk_format(f"{hdfs}/columns", ParquetBulkWriters.for_row_type(NUMBERS))
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    env.from_collection([(1,), (2,)]).sink_to(builder.build())
    env.execute()
    columns = FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(NUMBERS), f"{hdfs}/columns")
    assert [tuple(row) for row in read(columns.build())] == [(1,), (2,)]


def test_a_single_file_a_directory_and_a_pattern_are_found_with_their_host(hdfs: str) -> None:
    for name in ("a.txt", "deep/b.txt", "deep/c.log", "_hidden/d.txt"):
        write_new_file(f"{hdfs}/found/{name}", name.encode() + b"\n")
    paths = {name: f"{hdfs}/found/{name}" for name in ("a.txt", "deep/b.txt", "deep/c.log")}
    assert [file.path for file in find_files(paths["deep/b.txt"])] == [paths["deep/b.txt"]]
    assert [file.path for file in find_files(f"{hdfs}/found")] == list(paths.values())
    assert [file.path for file in find_files(f"{hdfs}/found/**/*.txt")] == [
        paths["a.txt"],
        paths["deep/b.txt"],
    ]
    assert read(lines_of(f"{hdfs}/found/*.txt").build()) == ["a.txt"]


def test_files_that_come_while_the_job_runs_are_read(hdfs: str) -> None:
    write_new_file(f"{hdfs}/watched/a", b"1\n")
    source = lines_of(f"{hdfs}/watched").monitor_continuously(10).build()
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "watched")
    with stream.execute_and_collect() as results:
        assert next(results) == "1"
        # Hidden at first, as nobody knows when the search looks.
        write_new_file(f"{hdfs}/watched/.b", b"2\n")
        put_in_place(f"{hdfs}/watched/.b", f"{hdfs}/watched/b")
        assert next(results) == "2"


def test_a_file_is_put_in_place_once_and_never_over_another(hdfs: str) -> None:
    write_new_file(f"{hdfs}/renamed/.a", b"new")
    put_in_place(f"{hdfs}/renamed/.a", f"{hdfs}/renamed/a")
    put_in_place(f"{hdfs}/renamed/.a", f"{hdfs}/renamed/a")
    assert content_of(f"{hdfs}/renamed/a") == b"new"
    write_new_file(f"{hdfs}/renamed/.b", b"other")
    with pytest.raises(OutsideError, match=r"HDFS did not rename /renamed/\.b"):
        put_in_place(f"{hdfs}/renamed/.b", f"{hdfs}/renamed/a")


def test_a_file_is_written_in_the_place_of_another(hdfs: str) -> None:
    for content in (b"old", b"new and longer", b"x"):
        write_in_place(f"{hdfs}/replaced/deep/a", content)
        assert content_of(f"{hdfs}/replaced/deep/a") == content
    assert [name.rpartition("/")[2] for name in files_below(f"{hdfs}/replaced")] == ["a"]


def test_what_is_not_there_or_may_not_be_read_is_named(hdfs: str) -> None:
    with pytest.raises(JobFailed, match=r"there is no file or directory .*/nowhere"):
        read(lines_of(f"{hdfs}/nowhere").build())
    write_new_file(f"{hdfs}/private/deep/a", b"1\n")
    import fsspec

    file_system, _ = fsspec.core.url_to_fs(hdfs)
    file_system.chmod("/private/deep", "700")
    stranger = hdfs.replace("penstock@", "stranger@")
    with pytest.raises(JobFailed, match="may not be read by this user"):
        read(lines_of(f"{stranger}/private").build())


def test_a_name_node_that_is_not_there_is_told_from_a_missing_file() -> None:
    with pytest.raises(OutsideError, match=r"webhdfs://127\.0\.0\.1:1/x cannot be read: .*refused"):
        find_files("webhdfs://127.0.0.1:1/x")
