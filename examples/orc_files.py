"""ORC: rows are written as columns, and of the columns only those are read that are asked for.

Run it with ``python examples/orc_files.py``. It prints::

    the file has id, name, price
    cup 2.50
    jug 12.00
"""

import tempfile
from decimal import Decimal
from pathlib import Path

from pyarrow import orc

from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSink, FileSource
from penstock.datastream.formats.orc import OrcBulkWriters, OrcColumnarRowInputFormat
from penstock.table import DataTypes

ID = DataTypes.FIELD("id", DataTypes.BIGINT())
NAME = DataTypes.FIELD("name", DataTypes.STRING())
PRICE = DataTypes.FIELD("price", DataTypes.DECIMAL(10, 2))


def main() -> None:
    """Write all columns, and read two."""
    env = StreamExecutionEnvironment.get_execution_environment()
    with tempfile.TemporaryDirectory() as folder:
        writers = OrcBulkWriters.for_row_type(DataTypes.ROW([ID, NAME, PRICE]))
        goods = env.from_collection([(1, "cup", Decimal("2.50")), (2, "jug", Decimal("12.00"))])
        goods.sink_to(FileSink.for_bulk_format(folder, writers).build())
        env.execute("write")

        (part,) = Path(folder).rglob("part-*")
        print(f"the file has {', '.join(orc.ORCFile(part).schema.names)}")

        source = FileSource.for_bulk_file_format(
            OrcColumnarRowInputFormat(DataTypes.ROW([NAME, PRICE])), folder
        ).build()
        stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "goods")
        with stream.map(lambda row: f"{row.name} {row.price}").execute_and_collect() as lines:
            print(*lines, sep="\n")


if __name__ == "__main__":
    main()
