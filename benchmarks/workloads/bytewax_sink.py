"""A sink for Bytewax that forgets everything."""

from typing import Any

from bytewax.outputs import DynamicSink, StatelessSinkPartition


class _Partition(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def write_batch(self, items: list[Any]) -> None:
        pass


class Discard(DynamicSink[Any]):  # type: ignore[misc]
    """Takes every item and does nothing with it."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Partition:
        return _Partition()
