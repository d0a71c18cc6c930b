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
