"""A field of CSV that is no number of its column fails the job."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource
from pyflink.datastream.formats.csv import CsvReaderFormat, CsvSchema
from pyflink.table import DataTypes

SINK = "returned"
RAISES = "1_000"


def program(env):
    schema = CsvSchema.builder().add_number_column("n", number_type=DataTypes.INT()).build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.csv")
        path.write_text("1\n1_000\n")
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
        with stream.map(tuple).execute_and_collect() as found:
            return list(found)
