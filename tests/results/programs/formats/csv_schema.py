"""What a schema of CSV says about itself."""

from pyflink.datastream.formats.csv import CsvSchema
from pyflink.table import DataTypes

SINK = "returned"


def program(env):
    builder = CsvSchema.builder().add_string_column("s")
    first = builder.build()
    second = (
        CsvSchema.builder()
        .add_columns_from(first)
        .add_number_column("n", number_type=DataTypes.INT())
        .build()
    )
    return [
        first.size(),
        len(second),
        builder.size(),
        len(CsvSchema.builder().add_string_column("x").clear_columns()),
    ]
