"""CSV with a header, a row to skip and comments."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource
from pyflink.datastream.formats.csv import CsvReaderFormat, CsvSchema
from pyflink.table import DataTypes

SINK = "returned"


def program(env):
    def schema():
        return CsvSchema.builder().add_string_column("s").add_number_column("n", number_type=DataTypes.INT())

    cases = [
        (schema().set_use_header().build(), "s,n\na,1\nb,2\n"),
        (schema().set_skip_first_data_row().build(), "a,1\nb,2\n"),
        (schema().set_allow_comments().build(), "#one,1\na,1\n#\nb,2\n"),
    ]
    rows = []
    for schema, text in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "in.csv")
            path.write_text(text)
            csv = CsvReaderFormat.for_schema(schema)
            source = FileSource.for_record_stream_format(csv, str(path)).build()
            stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
            with stream.map(tuple).execute_and_collect() as found:
                rows.append(list(found))
    return rows
