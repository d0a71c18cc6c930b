"""What the savepoints that are kept hold: one operator with every kind of state, filled and read back.

Fields and states may be added here for new format versions; what is here is never changed, as old savepoints hold it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from penstock.clock import ManualClock
from penstock.contracts.functions import AggregateFunction
from penstock.contracts.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from penstock.data.key_groups import key_group_range, subtask_of_key_group
from penstock.data.keys import key_group
from penstock.data.row import Row
from penstock.data.time import Time
from penstock.data.types import Types
from penstock.operators.contract import OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.operator_lists import InMemoryOperatorState
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.windows.window import TimeWindow

GROUPS = 32
KEYS: list[Any] = ["a", "b", 3, ("c", 4), datetime(2020, 1, 2, tzinfo=UTC)]
WINDOW = TimeWindow(0, 1000)


@dataclass
class Account:
    """A class whose fields are columns."""

    owner: str
    amounts: list[int]


class Place(NamedTuple):
    """Another."""

    x: float
    y: float


class Average(AggregateFunction):
    """The accumulator is a pair."""

    def create_accumulator(self) -> tuple[int, int]:
        return (0, 0)

    def add(self, value: int, accumulator: tuple[int, int]) -> tuple[int, int]:
        return (accumulator[0] + value, accumulator[1] + 1)

    def get_result(self, accumulator: tuple[int, int]) -> float:
        return accumulator[0] / accumulator[1]

    def merge(self, acc_a: tuple[int, int], acc_b: tuple[int, int]) -> tuple[int, int]:
        return (acc_a[0] + acc_b[0], acc_a[1] + acc_b[1])


VALUES: dict[str, Any] = {
    "whole": 5,
    "large": 2**70,
    "text": "ä",
    "data": b"\x00\xff",
    "yes": True,
    "number": -0.0,
    "decimal": Decimal("1.10"),
    "instant": datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "duration": timedelta(days=1, microseconds=1),
    "pair": ("a", None),
    "row": Row(a=1, b=[1, 2]),
    "account": Account("me", [1, 2]),
    "place": Place(1.0, 2.5),
    "pickled": Fraction(1, 3),
    "nested": {"a": [(1, "x")]},
}
LIST = ListStateDescriptor("a list", Types.LONG())
MAP = MapStateDescriptor("a map", Types.STRING(), Types.LONG())
SUM = ReducingStateDescriptor("a sum", lambda a, b: a + b)
AVERAGE = AggregatingStateDescriptor("an average", Average())
LASTING = ValueStateDescriptor("lasting")
LASTING.enable_time_to_live(StateTtlConfig.new_builder(Time.hours(1)).build())


BACKENDS = ("hashmap", "rocksdb", "rocksdb, timers on the heap")


def backend_of(kind: str, own: range) -> Any:
    """One that is filled, or into which something is restored."""
    clock = ManualClock(1000)
    if kind == "hashmap":
        return HashMapStateBackend(GROUPS, own, clock)
    settings = RocksDBSettings(
        memory_bytes=4 << 20,
        object_cache_bytes=1 << 20,
        is_incremental=True,
        has_timers_on_heap=kind != "rocksdb",
    )
    return RocksDBKeyedStateBackend(GROUPS, own, clock, settings)


class Subtask:
    """The state of one subtask, of which there are ``parallelism``."""

    def __init__(self, index: int, parallelism: int, backend: str = "hashmap") -> None:
        self.index, self.parallelism = index, parallelism
        self.own = key_group_range(GROUPS, parallelism, index)
        self.keyed = backend_of(backend, self.own)
        self.operator = InMemoryOperatorState()
        self.timers = self.keyed.timers("timers")

    def keys(self) -> list[Any]:
        """Those that are this subtask's."""
        return [
            key
            for key in KEYS
            if subtask_of_key_group(GROUPS, self.parallelism, key_group(key, GROUPS)) == self.index
        ]

    def fill(self, keys: list[Any] | None = None) -> None:
        """Put something under every key, or some of them."""
        for key in self.keys() if keys is None else keys:
            self.keyed.current_key = key
            for name, value in VALUES.items():
                self.keyed.get_state(ValueStateDescriptor(name)).update(value)
            self.keyed.get_list_state(LIST).add_all([1, 2])
            self.keyed.get_map_state(MAP).put_all({"x": 1, "y": None})
            self.keyed.get_partitioned_state(WINDOW, SUM).add(7)
            self.keyed.get_aggregating_state(AVERAGE).add(9)
            self.keyed.get_state(LASTING).update("fresh")
            self.timers.register_event_time_timer(key, WINDOW, 999)
            self.timers.register_processing_time_timer(key, None, 5)

    def fill_operator_state(self) -> None:
        """Put something into each kind of operator state."""
        self.operator.get_list_state(ListStateDescriptor("offsets")).add(("partition", self.index))
        self.operator.get_union_list_state(ListStateDescriptor("all")).add(self.index)
        self.operator.get_broadcast_state(MapStateDescriptor("rules")).put("limit", {"most": 5})

    def snapshot(self, checkpoint_id: int = 1) -> OperatorSnapshot:
        """Everything."""
        return OperatorSnapshot(
            self.keyed.snapshot(checkpoint_id),
            {"timers": self.timers.snapshot()},
            self.operator.snapshot(),
            [self.index],
            checkpoint_id,
        )

    def restore(self, snapshot: OperatorSnapshot) -> None:
        """Take over a snapshot."""
        assert snapshot.keyed is not None
        assert snapshot.operator is not None
        self.keyed.restore([snapshot.keyed], self.own)
        self.timers = self.keyed.timers("timers")
        self.timers.restore([snapshot.timers["timers"]], self.own)
        self.operator.restore(snapshot.operator)

    def content(self) -> list[Any]:
        """All that :meth:`fill` puts there, of the keys of this subtask."""
        found: list[Any] = []
        for key in self.keys():
            self.keyed.current_key = key
            values = {name: self.keyed.get_state(ValueStateDescriptor(name)).value() for name in VALUES}
            found.append(
                (
                    repr(key),
                    values,
                    list(self.keyed.get_list_state(LIST).get() or ()),
                    dict(self.keyed.get_map_state(MAP).items()),
                    self.keyed.get_partitioned_state(WINDOW, SUM).get(),
                    self.keyed.get_aggregating_state(AVERAGE).get(),
                    self.keyed.get_state(LASTING).value(),
                )
            )
        due = [*self.timers.advance_processing_time(5), *self.timers.advance_watermark(999)]
        return [*found, *sorted(map(repr, due))]


def everything(subtasks: list[Subtask]) -> list[Any]:
    """The content of all subtasks, in an order of its own."""
    return sorted((each for subtask in subtasks for each in subtask.content()), key=repr)
