"""What the Penstock contenders have in common."""

from typing import Any

from benchmarks.inputs import events_file

FIRST_ROWS = 100


def environment(parallelism: int = 1, columns: bool = False) -> Any:
    """An environment in a process that has run such jobs before, so that imports are not measured.

    What runs before reads a few rows as text, with ``columns`` as columns, too: the libraries that the measured job needs are
    then loaded, and no others, some of which have threads that go on for a while.
    """
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.datastream import StreamExecutionEnvironment

    path = events_file(FIRST_ROWS, 10)
    first = StreamExecutionEnvironment.get_execution_environment()
    first.read_text_file(path).map(len).key_by(lambda length: length).sum(0).sink_to(DiscardingSink())
    if columns:
        events(first, path).key_by(lambda row: row[0]).sum(1).sink_to(DiscardingSink())
    first.execute()
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def events(env: Any, path: str, columns: tuple[str, ...] = ("key", "ts", "value")) -> Any:
    """Rows of an events file with some of its columns, parsed natively."""
    from penstock.connectors.columns.source import CsvColumnsSource
    from penstock.contracts.watermarks import WatermarkStrategy

    types = {"key": "string", "ts": "int64", "value": "int64"}
    source = CsvColumnsSource(path, types, column_names=list(types), include_columns=list(columns))
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "events")
