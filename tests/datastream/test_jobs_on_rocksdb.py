"""Whole jobs give the same rows on either backend."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Configuration, Duration, Time, Types, WatermarkStrategy
from penstock.datastream import (
    DataStream,
    KeyedProcessFunction,
    ProcessWindowFunction,
    StreamExecutionEnvironment,
)
from penstock.datastream.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from penstock.datastream.window import (
    EventTimeSessionWindows,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)
from penstock.errors import PenstockError
from tests.datastream.test_windows import Average

RECORDS = [((index * 7919) % 23, index * 37 % 5000, index) for index in range(2000)]


class AllKindsOfState(KeyedProcessFunction):
    """Uses each kind of state, and a timer that empties some of it."""

    def open(self, runtime_context: Any) -> None:
        expiring = ValueStateDescriptor("expiring")
        expiring.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())
        self.expiring = runtime_context.get_state(expiring)
        self.last = runtime_context.get_list_state(ListStateDescriptor("last"))
        self.seen = runtime_context.get_map_state(MapStateDescriptor("seen"))
        self.most = runtime_context.get_reducing_state(ReducingStateDescriptor("most", max))
        self.mean = runtime_context.get_aggregating_state(AggregatingStateDescriptor("mean", Average()))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        key, time, number = value
        before = self.expiring.value()
        self.expiring.update(number)
        self.last.add(number)
        if number % 5 == 0:
            self.last.update(list(self.last)[-3:])
        self.seen.put(number % 11, (time, str(number)))
        if number % 7 == 0:
            self.seen.remove(number % 3)
        self.most.add(time)
        self.mean.add((str(key), number))
        ctx.timer_service().register_event_time_timer(time - time % 500 + 999)
        yield key, number, before, self.most.get(), self.mean.get()

    def on_timer(self, timestamp: int, ctx: Any) -> Iterator[Any]:
        yield ctx.get_current_key(), timestamp, list(self.last), sorted(self.seen.items())
        if timestamp % 1000 == 999:
            self.last.clear()
            self.seen.clear()


class Summary(ProcessWindowFunction):
    def process(self, key: Any, context: Any, elements: Any) -> Any:
        window = context.window()
        seen = context.global_state().get_state(ValueStateDescriptor("windows", Types.LONG()))
        seen.update((seen.value() or 0) + 1)
        yield key, window.start, window.end, sorted(number for _, _, number in elements)


def all_kinds(records: DataStream) -> DataStream:
    return records.key_by(lambda record: record[0]).process(AllKindsOfState())


def running_sum(records: DataStream) -> DataStream:
    return records.key_by(lambda record: record[0]).sum(2)


def tumbling(records: DataStream) -> DataStream:
    windows = records.key_by(lambda record: record[0]).window(TumblingEventTimeWindows.of(Time.seconds(1)))
    return windows.reduce(lambda one, two: (one[0], max(one[1], two[1]), one[2] + two[2]))


def sliding(records: DataStream) -> DataStream:
    pairs = records.map(lambda record: (str(record[0]), record[2]))
    windows = pairs.key_by(lambda pair: pair[0]).window(
        SlidingEventTimeWindows.of(Time.seconds(1), Time.milliseconds(500))
    )
    return windows.aggregate(Average())


def sessions(records: DataStream) -> DataStream:
    windows = records.key_by(lambda record: record[0])
    return windows.window(EventTimeSessionWindows.with_gap(Time.milliseconds(30))).process(Summary())


def lists(records: DataStream) -> DataStream:
    windows = records.key_by(lambda record: record[0]).window(TumblingEventTimeWindows.of(Time.seconds(1)))
    return windows.allowed_lateness(500).process(Summary())


def rows_of(
    program: Callable[[DataStream], DataStream], parallelism: int, options: dict[str, str]
) -> list[str]:
    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(parallelism)
    strategy = WatermarkStrategy.for_bounded_out_of_orderness(
        Duration.of_seconds(10)
    ).with_timestamp_assigner(lambda record, _: record[1])
    records = env.from_collection(RECORDS).assign_timestamps_and_watermarks(strategy)
    with program(records).execute_and_collect() as rows:
        return sorted(map(repr, rows))


@pytest.mark.parametrize("program", [all_kinds, running_sum, tumbling, sliding, sessions, lists])
def test_a_job_gives_the_same_rows_on_disk_as_in_memory(
    program: Callable[[DataStream], DataStream], tmp_path: Path
) -> None:
    on_disk = {
        "state.backend.type": "rocksdb",
        "state.backend.rocksdb.localdir": str(tmp_path),
        "state.backend.rocksdb.memory.fixed-per-tm": "4 mb",
    }
    expected = rows_of(program, 1, {})
    assert expected
    assert rows_of(program, 1, on_disk) == expected
    assert list(tmp_path.iterdir()) == []


def test_worker_processes_have_databases_of_their_own(tmp_path: Path) -> None:
    on_disk = {"state.backend.type": "rocksdb", "state.backend.rocksdb.localdir": str(tmp_path)}
    assert rows_of(sliding, 2, on_disk) == rows_of(sliding, 1, {})
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "state")
    with pytest.raises(PenstockError, match=f"RocksDB cannot have a working directory in {place}"):
        rows_of(running_sum, 1, {"state.backend.type": "rocksdb", "state.backend.rocksdb.localdir": place})
