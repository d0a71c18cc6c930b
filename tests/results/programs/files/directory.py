"""All files below a directory are read, but hidden ones."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

SINK = "returned"


def program(env):
    with tempfile.TemporaryDirectory() as folder:
        for name in (
            "b.txt",
            "a.txt",
            ".hidden",
            "_too",
            "deep/er/c.txt",
            ".deep/d.txt",
            "_deep/e.txt",
            "empty",
        ):
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_text("" if name == "empty" else f"{name}\n")
        source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), folder).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "lines")
        with stream.execute_and_collect() as found:
            return sorted(found)
