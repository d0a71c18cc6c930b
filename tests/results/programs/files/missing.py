"""A path at which there is nothing fails the job."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

SINK = "returned"
RAISES = "missing-file.txt"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "missing-file.txt"))
        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), path).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.execute_and_collect() as found:
            return list(found)
