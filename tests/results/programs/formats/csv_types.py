"""Columns of CSV of all types, as rows."""

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
        .add_number_column("i", number_type=DataTypes.INT())
        .add_number_column("l", number_type=DataTypes.BIGINT())
        .add_number_column("d", number_type=DataTypes.DOUBLE())
        .add_boolean_column("b")
        .add_array_column("a", ";", element_type=DataTypes.INT())
        .build()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.csv")
        path.write_text(
            'a,1,9223372036854775807,1.5,true,1;2\n"b,""q""",-2,+3,1e3,false,\n ü , 7 ,0,.5,true,5\n'
        )
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(path)).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "csv")
        with stream.map(tuple).execute_and_collect() as found:
            return list(found)
