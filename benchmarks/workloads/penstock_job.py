"""What the Penstock contenders have in common."""

from typing import Any


def environment(parallelism: int = 1) -> Any:
    """An environment in a process that has run a job before, so that imports are not measured."""
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.datastream import StreamExecutionEnvironment

    first = StreamExecutionEnvironment.get_execution_environment()
    first.from_elements(1).key_by(lambda value: value).sum(0).sink_to(DiscardingSink())
    first.execute()
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def events(env: Any, path: str, columns: tuple[str, ...] = ("key", "ts", "value")) -> Any:
    """Rows of an events file with some of its columns, parsed natively."""
    from penstock.connectors.columns.source import CsvColumnsSource
    from penstock.contracts.watermarks import WatermarkStrategy

    types = {"key": "string", "ts": "int64", "value": "int64"}
    source = CsvColumnsSource(path, types, column_names=list(types), include_columns=list(columns))
    return env.from_source(source, WatermarkStrategy.no_watermarks(), "events")
