"""CSV with another separator, another quote, an escape character and a text for null."""

import tempfile
from pathlib import Path

from pyflink.common import WatermarkStrategy
from pyflink.datastream.connectors.file_system import FileSource
from pyflink.datastream.formats.csv import CsvReaderFormat, CsvSchema
from pyflink.table import DataTypes

SINK = "returned"


def program(env):
    schema = (
        CsvSchema.builder()
        .add_string_column("s")
        .add_number_column("n", number_type=DataTypes.INT())
        .set_column_separator("|")
        .set_quote_char("'")
        .set_escape_char("\\")
        .set_null_value("NULL")
        .build()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.csv")
        path.write_text("'a|b'|1\na\\|b|2\nNULL|NULL\n'it''s'|4\na\\nb|5\na\\\\b|6\n'a\\'b'|7\n\"q\"|8\n")
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
        with stream.map(tuple).execute_and_collect() as found:
            return list(found)
