"""CSV files in and out: rows with types from one file, results to files of another folder.

Run it with ``python examples/csv_in_and_out.py``. It prints::

    apples;12.5
    pears;4.0
"""

import tempfile
from pathlib import Path

from penstock.common import Types, WatermarkStrategy
from penstock.common.serialization import Encoder
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.file_system import BucketAssigner, FileSink, FileSource, OutputFileConfig
from penstock.datastream.formats.csv import CsvReaderFormat, CsvSchema

SALES = "fruit,kilos,price\napples,2,1.25\npears,1,4.0\napples,8,1.25\n"


def main() -> None:
    """Earnings of each fruit, from file to file."""
    with tempfile.TemporaryDirectory() as folder:
        sales, earnings = Path(folder) / "sales.csv", Path(folder) / "earnings"
        sales.write_text(SALES, "utf-8")
        schema = (
            CsvSchema.builder()
            .add_string_column("fruit")
            .add_number_column("kilos", Types.INT())
            .add_number_column("price", Types.DOUBLE())
            .set_use_header()
            .build()
        )
        env = StreamExecutionEnvironment.get_execution_environment()
        source = FileSource.for_record_stream_format(CsvReaderFormat.for_schema(schema), str(sales)).build()
        rows = env.from_source(source, WatermarkStrategy.no_watermarks(), "sales")
        lines = (
            rows.map(lambda row: (row.fruit, row.kilos * row.price))
            .key_by(lambda pair: pair[0])
            .sum(1)
            .map(lambda pair: f"{pair[0]};{pair[1]}", Types.STRING())
        )
        sink = (
            FileSink.for_row_format(str(earnings), Encoder.simple_string_encoder())
            .with_output_file_config(OutputFileConfig("earnings", ".csv"))
            .with_bucket_assigner(BucketAssigner.base_path_bucket_assigner())
            .build()
        )
        lines.sink_to(sink)
        env.execute("earnings")
        # Sums are updated with each sale; the last line of a fruit is its total.
        written = "".join(file.read_text("utf-8") for file in earnings.glob("earnings*.csv"))
        totals = dict(line.split(";") for line in written.splitlines())
        for fruit, total in sorted(totals.items()):
            print(f"{fruit};{total}")


if __name__ == "__main__":
    main()
