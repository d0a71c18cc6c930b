"""Every batch of columns of a Parquet or CSV file."""

from collections.abc import Callable
from typing import Any

CSV_NAMES = ["key", "ts", "value"]


def plain(path: str) -> Callable[[], dict[str, Any]]:
    """pyarrow by hand, on one thread."""

    def work() -> dict[str, Any]:
        import pyarrow

        pyarrow.set_cpu_count(1)
        rows = 0
        for batch in _batches(path):
            rows += batch.num_rows
        return {"records": rows, "check": rows}

    return work


def _batches(path: str) -> Any:
    if path.endswith(".parquet"):
        from pyarrow import parquet

        return parquet.ParquetFile(path).iter_batches(65_536, use_threads=False)
    from pyarrow import csv

    options = csv.ReadOptions(use_threads=False, column_names=CSV_NAMES)
    return csv.open_csv(path, options)


def csv_format() -> Any:
    """The columns of the file, declared."""
    from penstock.formats.csv import CsvReaderFormat, CsvSchema

    schema = CsvSchema.builder().add_string_column("key").add_number_column("ts").add_number_column("value")
    return CsvReaderFormat.for_schema(schema.build(), newlines_in_values=False)


def penstock(path: str) -> Callable[[], dict[str, Any]]:
    """The sources of columns into a sink that takes columns."""
    from benchmarks.workloads.counting_sink import CountingColumnsSink
    from benchmarks.workloads.penstock_job import environment
    from penstock.connectors.files.source import FileSource
    from penstock.contracts.watermarks import WatermarkStrategy
    from penstock.formats.parquet import ParquetColumnarRowInputFormat

    env = environment(1, columns=True)
    builder = (
        FileSource.for_bulk_file_format(ParquetColumnarRowInputFormat(), path)
        if path.endswith(".parquet")
        else FileSource.for_record_stream_format(csv_format(), path)
    )
    sink = CountingColumnsSink()
    env.from_source(builder.build(), WatermarkStrategy.no_watermarks(), "columns").sink_to(sink)

    def work() -> dict[str, Any]:
        rows = env.execute().get_accumulator_result("rows")
        return {"records": rows, "check": rows}

    return work
