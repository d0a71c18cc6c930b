"""A timer for each record of a job on RocksDB: in the database, or on the heap.

``deleted``: each record of a key puts off the key's only timer, as those of sessions do. Otherwise each timer fires.
"""

from collections.abc import Callable, Iterator
from typing import Any

KEYS = 100_000
SPREAD = 7_368_787  # a prime, so that the keys come in no order


def in_database(records: int, deleted: bool) -> Callable[[], dict[str, Any]]:
    """As it is by default."""
    return _job(records, deleted, "ROCKSDB")


def on_heap(records: int, deleted: bool) -> Callable[[], dict[str, Any]]:
    """All timers in memory."""
    return _job(records, deleted, "HEAP")


def _job(records: int, deleted: bool, place: str) -> Callable[[], dict[str, Any]]:
    from benchmarks.workloads.penstock_job import environment
    from penstock.common import Configuration, WatermarkStrategy
    from penstock.common.watermark_strategy import TimestampAssigner
    from penstock.connectors.discard.sink import DiscardingSink
    from penstock.datastream import KeyedProcessFunction
    from penstock.datastream.state import ValueStateDescriptor

    class Number(TimestampAssigner):
        def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
            return int(value)

    # A key comes once in 100,000 ms.
    delay_ms = 2 * KEYS if deleted else KEYS // 2

    class Timed(KeyedProcessFunction):
        def open(self, runtime_context: Any) -> None:
            self.at = runtime_context.get_state(ValueStateDescriptor("at"))

        def process_element(self, value: int, ctx: Any) -> None:
            service = ctx.timer_service()
            if deleted:
                before = self.at.value()
                if before is not None:
                    service.delete_event_time_timer(before)
            at = value + delay_ms
            service.register_event_time_timer(at)
            self.at.update(at)

        def on_timer(self, timestamp: int, ctx: Any) -> Iterator[int]:
            self.at.clear()
            yield timestamp

    settings = Configuration()
    settings.set_string("state.backend.type", "rocksdb")
    settings.set_string("state.backend.rocksdb.timer-service.factory", place)
    env = environment()
    env.configure(settings)
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Number())
    numbers = env.from_sequence(0, records - 1).assign_timestamps_and_watermarks(strategy)
    numbers.key_by(lambda number: number * SPREAD % KEYS).process(Timed()).sink_to(DiscardingSink())

    def work() -> dict[str, Any]:
        env.execute()
        return {"records": records}

    return work
