"""Lines of a text file, with empty ones and both ends of lines."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

SINK = "returned"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.txt")
        path.write_bytes("a\r\n\nümlaut\n  spaced \nlast without end".encode())
        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.execute_and_collect() as found:
            return list(found)
