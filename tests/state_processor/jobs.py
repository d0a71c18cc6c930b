"""A job with state of every kind, and savepoints of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Time, WatermarkStrategy
from penstock.contracts.checkpointing import CheckpointedFunction
from penstock.dataflow.recovery import CheckpointState
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import BroadcastProcessFunction, KeyedProcessFunction, MapFunction
from penstock.datastream.job_client import JobClient
from penstock.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ValueStateDescriptor,
)
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.errors import JobCancelled
from penstock.testing import CollectingSink, ScriptedSource, StreamRecord

WAIT_S = 120
RULES = MapStateDescriptor("rules")


@dataclass
class Account:
    """What is kept for a key."""

    owner: str
    bookings: int


class Book(KeyedProcessFunction):
    """A value, a list, a text that no other encoding takes, and a timer for each key."""

    def open(self, runtime_context: Any) -> None:
        self.account = runtime_context.get_state(ValueStateDescriptor("account"))
        self.amounts = runtime_context.get_list_state(ListStateDescriptor("amounts"))
        self.half = runtime_context.get_state(ValueStateDescriptor("half a character"))
        runtime_context.get_state(ValueStateDescriptor("unused"))

    def process_element(self, value: int, ctx: Any) -> Iterable[Any]:
        account = self.account.value() or Account(f"owner {ctx.get_current_key()}", 0)
        self.account.update(Account(account.owner, account.bookings + 1))
        self.amounts.add(value)
        self.half.update("\ud800")
        ctx.timer_service().register_event_time_timer(10_000 + ctx.get_current_key())
        yield "booked", ctx.get_current_key(), account.bookings + 1

    def on_timer(self, timestamp: int, ctx: Any) -> Iterable[Any]:
        yield "timer", ctx.get_current_key(), timestamp


class Seen(MapFunction, CheckpointedFunction):
    """Operator state: every record of the subtask."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def map(self, value: Any) -> Any:
        self.seen.append(value)
        return value

    def snapshot_state(self, context: Any) -> None:
        self.state.update(self.seen)

    def initialize_state(self, context: Any) -> None:
        self.state = context.get_operator_state_store().get_list_state(ListStateDescriptor("seen"))
        self.seen = list(self.state.get())


class Rules(BroadcastProcessFunction):
    """Remembers rules, and shows how many there are."""

    def process_element(self, value: Any, ctx: Any) -> Iterable[Any]:
        yield "rules", value, sorted(ctx.get_broadcast_state(RULES).keys())

    def process_broadcast_element(self, value: Any, ctx: Any) -> None:
        ctx.get_broadcast_state(RULES).put(value, f"rule {value}")


class Bank:
    """Numbers 0 to 5, by their remainder of 3; then silence."""

    def __init__(self, backend: str = "hashmap", values: Iterable[int] = range(6)) -> None:
        self.sink = CollectingSink()
        env = self.env = StreamExecutionEnvironment.get_execution_environment()
        env.set_parallelism(1)
        env.get_configuration().set_string("state.backend.type", backend)
        items = [StreamRecord(value, 1000 * value) for value in values]
        source = ScriptedSource(items, bounded=False)
        numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
        keyed = numbers.key_by(lambda number: number % 3)
        keyed.process(Book()).uid("bank").sink_to(self.sink)
        keyed.window(TumblingEventTimeWindows.of(Time.seconds(100))).reduce(lambda a, b: a + b).uid(
            "sums"
        ).sink_to(self.sink)
        numbers.map(Seen()).uid("seen").sink_to(self.sink)
        rules = env.from_collection(["x", "y"]).broadcast(RULES)
        numbers.connect(rules).process(Rules()).uid("rules").sink_to(self.sink)

    def savepoint(self, folder: Path, rows: int) -> str:
        """Run until so many rows were written, and stop with a savepoint."""
        return self._started(rows).stop_with_savepoint(False, str(folder)).result(WAIT_S)

    def retained(self, folder: Path, rows: int) -> str:
        """Run until so many rows were written and are in a checkpoint, and leave that behind."""
        options = self.env.get_configuration()
        options.set_string("execution.checkpointing.interval", "20 ms")
        options.set_string("execution.checkpointing.incremental", "true")
        options.set_string("execution.checkpointing.dir", str(folder))
        options.set_string(
            "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"
        )
        client = self._started(rows)
        last = max((each.checkpoint_id for each in client.get_checkpoints()), default=0)
        while not any(
            each.state is CheckpointState.COMPLETED and each.checkpoint_id > last
            for each in client.get_checkpoints()
        ):
            assert not client.get_job_status().result().is_globally_terminal_state()
        client.cancel().result(WAIT_S)
        with pytest.raises(JobCancelled):
            client.get_job_execution_result().result(WAIT_S)
        [path] = folder.glob("*/chk-*")
        return str(path)

    def _started(self, rows: int) -> JobClient:
        client = self.env.execute_async("bank")
        while len(self.sink.records) < rows:
            if client.get_job_status().result().is_globally_terminal_state():
                raise AssertionError("the job ended by itself")
        return client
