"""Values of CSV with the ends of lines in them."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource
from pyflink.datastream.formats.csv import CsvReaderFormat, CsvSchema

SINK = "returned"


def program(env):
    schema = CsvSchema.builder().add_string_column("a").add_string_column("b").build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.csv")
        path.write_bytes(b'"one\ntwo",x\r\n"three\r\nfour",y\n,"' + b"z" * 5_000 + b'"\n')
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
        with stream.map(lambda row: (row.a, row.b[:3], len(row.b))).execute_and_collect() as found:
            return list(found)
