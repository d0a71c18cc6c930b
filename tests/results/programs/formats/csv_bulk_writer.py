"""CSV that a bulk writer of a file sink writes."""

import tempfile
from pathlib import Path

from pyflink.common import Row, Types
from pyflink.datastream.connectors.file_system import FileSink
from pyflink.datastream.formats.csv import CsvBulkWriters, CsvSchema
from pyflink.table import DataTypes

SINK = "returned"


def program(env):
    schema = (
        CsvSchema.builder()
        .add_string_column("s")
        .add_number_column("n", number_type=DataTypes.INT())
        .add_number_column("d", number_type=DataTypes.DOUBLE())
        .add_boolean_column("b")
        .build()
    )
    rows = [
        Row("a", 1, 1.5, True),
        Row('b,"q"', -2, 1e10, False),
        Row("", 0, 0.001, True),
        Row("x\ny", 3, 2.0, True),
    ]
    kind = Types.ROW_NAMED(
        ["s", "n", "d", "b"], [Types.STRING(), Types.INT(), Types.DOUBLE(), Types.BOOLEAN()]
    )
    with tempfile.TemporaryDirectory() as folder:
        sink = FileSink.for_bulk_format(folder, CsvBulkWriters.for_schema(schema)).build()
        env.from_collection(rows, kind).map(lambda row: row, kind).sink_to(sink)
        env.execute()
        (path,) = [path for path in Path(folder).rglob("*") if path.is_file()]
        return path.read_text().split("\n")
