"""Parquet files are read as columns, and become rows only where a function of yours wants them.

Run it with ``python examples/parquet_columns.py``. It prints::

    3 trips over 10 km, the longest 42.0 km to the sea
"""

import tempfile
from pathlib import Path

import pyarrow
from pyarrow import parquet

from penstock.common import Types, WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import FileSource
from penstock.datastream.formats.parquet import ParquetColumnarRowInputFormat

TRIPS = {
    "place": ["park", "sea", "mill", "lake", "zoo"],
    "km": [3.5, 42.0, 12.0, 27.5, 9.0],
    "note": ["", "windy", "", "", ""],
}


def main() -> None:
    """Find the long trips of a Parquet file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trips.parquet"
        parquet.write_table(pyarrow.table(TRIPS), file)
        # Only the columns of the row type are read from the file: `note` is not.
        wanted = Types.ROW_NAMED(["place", "km"], [Types.STRING(), Types.DOUBLE()])
        source = FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(wanted), str(file)).build()
        env = StreamExecutionEnvironment.get_execution_environment()
        trips = env.from_source(source, WatermarkStrategy.no_watermarks(), "trips")
        with trips.filter(lambda trip: trip.km > 10).execute_and_collect() as rows:
            found = list(rows)
    longest = max(found, key=lambda trip: trip.km)
    print(f"{len(found)} trips over 10 km, the longest {longest.km} km to the {longest.place}")


if __name__ == "__main__":
    main()
