"""Files that are compressed, by the ends of their names."""

import bz2
import gzip
import tempfile
import zlib
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

SINK = "returned"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.gz").write_bytes(gzip.compress(b"gz\n"))
        Path(folder, "b.bz2").write_bytes(bz2.compress(b"bz2\n"))
        Path(folder, "d.deflate").write_bytes(zlib.compress(b"deflate\n"))
        Path(folder, "e.gz").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), folder).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.execute_and_collect() as found:
            return sorted(found)
