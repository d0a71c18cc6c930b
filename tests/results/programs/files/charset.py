"""Lines of another charset."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

SINK = "returned"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.txt")
        path.write_bytes("grün\nblau\n".encode("latin-1"))
        lines = StreamFormat.text_line_format("ISO-8859-1")
        source = FileSource.for_record_stream_format(lines, str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.map(str.upper).execute_and_collect() as found:
            return list(found)
