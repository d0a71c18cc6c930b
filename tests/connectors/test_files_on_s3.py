"""Files on an S3-compatible server: read, written exactly once, and watched."""

from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest

from penstock.common import Configuration
from penstock.connectors.files.layout import BucketAssigner
from penstock.connectors.files.sink import FileSink
from penstock.connectors.files.source import FileSource
from penstock.contracts.serialization import Encoder
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.types import Types
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import JobFailed
from penstock.formats.column_writers import ParquetBulkWriters
from penstock.formats.parquet import ParquetColumnarRowInputFormat
from penstock.formats.text import StreamFormat
from tests.missing import leave_out_for_want_of

pytestmark = [pytest.mark.service, pytest.mark.slow]
NUMBERS = Types.ROW_NAMED(["n"], [Types.LONG()])


@pytest.fixture
def bucket() -> Iterator[str]:
    """The URL of an empty bucket on a server of the test's own."""
    try:
        import fsspec
        import s3fs
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        leave_out_for_want_of(f"a server of S3 ({error})", "install it with pip install 'moto[server]' s3fs")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    before = dict(fsspec.config.conf)
    fsspec.config.conf["s3"] = {
        "endpoint_url": f"http://{host}:{port}",
        "key": "key",
        "secret": "secret",
        "client_kwargs": {"region_name": "eu-west-1"},
    }
    try:
        # What a server holds belongs to the process.
        urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
        s3fs.S3FileSystem.clear_instance_cache()
        fsspec.filesystem("s3").mkdir("penstock")
        yield "s3://penstock"
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        fsspec.config.conf.clear()
        fsspec.config.conf.update(before)
        server.stop()


def names_in(bucket: str) -> list[str]:
    import fsspec

    file_system = fsspec.filesystem("s3")
    file_system.invalidate_cache()
    return [str(name) for name in file_system.find(bucket)]


def read(source: Any) -> list[Any]:
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "files")
    with stream.execute_and_collect() as results:
        return list(results)


class FailsOnce:
    failed = False

    def __call__(self, number: int) -> str:
        if number == 3_000 and not FailsOnce.failed:
            FailsOnce.failed = True
            raise RuntimeError("on purpose")
        return str(number)


def test_lines_are_written_once_and_read_though_the_job_fails(bucket: str) -> None:
    settings = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "1 ms",
        "execution.checkpointing.interval": "50 ms",
    }
    FailsOnce.failed = False
    env = StreamExecutionEnvironment.get_execution_environment(Configuration.from_dict(settings))
    sink = FileSink.for_row_format(f"{bucket}/lines", Encoder.simple_string_encoder())
    env.from_sequence(1, 5_000).map(FailsOnce()).sink_to(sink.build())
    env.execute()
    assert FailsOnce.failed
    assert [name for name in names_in(bucket) if "inprogress" in name] == []
    lines = FileSource.for_record_stream_format(StreamFormat.text_line_format(), f"{bucket}/lines").build()
    assert sorted(map(int, read(lines))) == list(range(1, 5_001))


def test_parquet_comes_back(bucket: str) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    builder = FileSink.for_bulk_format(f"{bucket}/columns", ParquetBulkWriters.for_row_type(NUMBERS))
    builder.with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
    env.from_collection([(1,), (2,)]).sink_to(builder.build())
    env.execute()
    columns = FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(NUMBERS), f"{bucket}/columns")
    assert [tuple(row) for row in read(columns.build())] == [(1,), (2,)]


def test_objects_that_come_while_the_job_runs_are_read(bucket: str) -> None:
    import fsspec

    file_system = fsspec.filesystem("s3")
    file_system.pipe(f"{bucket}/watched/a", b"1\n")
    lines = StreamFormat.text_line_format()
    source = FileSource.for_record_stream_format(lines, f"{bucket}/watched").monitor_continuously(10).build()
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "watched")
    with stream.execute_and_collect() as results:
        assert next(results) == "1"
        file_system.pipe(f"{bucket}/watched/b", b"2\n")
        assert next(results) == "2"


def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    source = FileSource.for_record_stream_format(
        StreamFormat.text_line_format(), "s3://nowhere/at-all"
    ).build()
    with pytest.raises(JobFailed, match="s3://nowhere/at-all"):
        read(source)
