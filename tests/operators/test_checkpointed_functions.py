"""Functions of the user that take part in checkpoints."""

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from penstock.connectors.functions.checkpointed import ListCheckpointed
from penstock.connectors.functions.sink import FunctionSink, SinkFunction
from penstock.connectors.functions.source import FunctionSource, FunctionSplit, SourceFunction
from penstock.contracts.broadcast_functions import BroadcastProcessFunction
from penstock.contracts.functions import (
    CoProcessFunction,
    FilterFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
)
from penstock.contracts.source import InputStatus
from penstock.contracts.state import (
    CheckpointedFunction,
    CheckpointListener,
    ListStateDescriptor,
    MapStateDescriptor,
    ValueStateDescriptor,
)
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.broadcast_process import BroadcastProcessSpec
from penstock.operators.co_process import CoProcessSpec, KeyedCoProcessSpec
from penstock.operators.keyed_process import KeyedProcessSpec
from penstock.operators.keyed_rows import KeyedRowSpec
from penstock.operators.process import ProcessSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.sink import SinkSpec
from penstock.operators.source import SourceSpec
from penstock.plan.compile import compile_graph
from penstock.testing import HarnessSettings, OperatorHarness
from penstock.testing.operator_harness import restored

SEEN = ListStateDescriptor("seen")


class Remembering(CheckpointedFunction):
    """Keeps what it sees in a field, and the field in list state; answers with what it has seen."""

    def initialize_state(self, context: Any) -> None:
        self.calls = ["initialize"]
        self.restored_from = context.get_restored_checkpoint_id()
        assert context.is_restored() == (self.restored_from is not None)
        self.state = context.get_operator_state_store().get_list_state(SEEN)
        self.seen = list(self.state.get())

    def open(self, runtime_context: Any) -> None:
        self.calls.append("open")

    def see(self, value: Any) -> list[Any]:
        self.seen.append(value)
        return list(self.seen)

    def snapshot_state(self, context: Any) -> None:
        self.state.update(self.seen)


class RememberingMap(Remembering, MapFunction):
    def map(self, value: Any) -> Any:
        return self.see(value)


class RememberingFlatMap(Remembering, FlatMapFunction):
    def flat_map(self, value: Any) -> Any:
        return [self.see(value)]


class RememberingFilter(Remembering, FilterFunction):
    def filter(self, value: Any) -> Any:
        return len(self.see(value)) > 2


class RememberingProcess(Remembering, ProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        yield self.see(value)


class RememberingKeyedProcess(Remembering, KeyedProcessFunction):
    process_element = RememberingProcess.process_element


class RememberingCoProcess(Remembering, CoProcessFunction):
    process_element1 = process_element2 = RememberingProcess.process_element


class RememberingBroadcast(Remembering, BroadcastProcessFunction[Any, Any, Any]):
    process_element = process_broadcast_element = RememberingProcess.process_element


def row(kind: Any, function: Any) -> RowChainSpec:
    return RowChainSpec((RowStep(kind, function, kind),))


def harness_of(spec: Any) -> OperatorHarness:
    keys = [lambda value: value] * spec.ports if spec.uses_keyed_state else ()
    return OperatorHarness(spec, keys)


SPECS = [
    row("map", RememberingMap()),
    row("flat_map", RememberingFlatMap()),
    KeyedRowSpec(RowStep("map", RememberingMap(), "Map")),
    ProcessSpec(RememberingProcess()),
    KeyedProcessSpec(RememberingKeyedProcess()),
    CoProcessSpec(RememberingCoProcess()),
    KeyedCoProcessSpec(RememberingCoProcess()),
    BroadcastProcessSpec(RememberingBroadcast(), ()),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_what_a_function_kept_in_operator_state_is_there_after_a_restore(spec: Any) -> None:
    harness = harness_of(spec)
    harness.process_elements([1, 2])
    again = harness.restored()
    again.process_element(3)
    assert again.extract_output_values() == [[1, 2, 3]]


def test_a_filter_may_keep_operator_state() -> None:
    harness = harness_of(row("filter", RememberingFilter()))
    harness.process_elements(["a", "b"])
    again = harness.restored()
    again.process_element("c")
    assert again.extract_output_values() == ["c"]


def test_state_is_initialized_before_open_and_knows_the_checkpoint_restored_from() -> None:
    function = RememberingProcess()
    harness = OperatorHarness(ProcessSpec(function))
    assert function.calls == ["initialize", "open"]
    assert function.restored_from is None
    again = harness.restored(harness.snapshot(checkpoint_id=7))
    assert again.spec.function.restored_from == 7  # type: ignore[attr-defined]


def test_list_state_is_dealt_out_evenly_when_the_parallelism_changes() -> None:
    harness = harness_of(ProcessSpec(RememberingProcess()))
    harness.process_elements([1, 2, 3, 4, 5])
    two = harness.rescaled(2)
    for each in two:
        each.process_element("new")
    assert [each.extract_output_values() for each in two] == [[[1, 2, 3, "new"]], [[4, 5, "new"]]]
    one = restored(two, [each.snapshot() for each in two], 1)[0]
    one.process_element("end")
    assert one.extract_output_values() == [[1, 2, 3, "new", 4, 5, "new", "end"]]


class KeepsAll(ProcessFunction, CheckpointedFunction):
    """Union and broadcast state."""

    def initialize_state(self, context: Any) -> None:
        store = context.get_operator_state_store()
        self.union = store.get_union_list_state(ListStateDescriptor("union"))
        self.shared = store.get_broadcast_state(MapStateDescriptor("shared"))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self.union.add(value)
        self.shared.put("last", value)
        yield list(self.union.get()), self.shared.get("last")

    def snapshot_state(self, context: Any) -> None:
        self.shared.put("checkpoint", context.get_checkpoint_id())


def test_union_state_is_given_whole_to_every_subtask_and_broadcast_state_once() -> None:
    subtasks = [
        OperatorHarness(ProcessSpec(KeepsAll()), settings=HarnessSettings(parallelism=2, subtask_index=index))
        for index in range(2)
    ]
    for index, each in enumerate(subtasks):
        each.process_element(f"from {index}")
    three = restored(subtasks, [each.snapshot(5) for each in subtasks], 3)
    for each in three:
        function: Any = each.spec.function  # type: ignore[attr-defined]
        assert list(function.union.get()) == ["from 0", "from 1"]
        assert function.shared.get("checkpoint") == 5
    assert [each.spec.function.shared.get("last") for each in three] == ["from 0", "from 1", "from 0"]  # type: ignore[attr-defined]


class CountsPerKey(KeyedProcessFunction, CheckpointedFunction):
    def initialize_state(self, context: Any) -> None:
        self.count = context.get_keyed_state_store().get_state(ValueStateDescriptor("count"))

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        self.count.update((self.count.value() or 0) + 1)
        yield value, self.count.value()

    def snapshot_state(self, context: Any) -> None:
        pass


def test_keyed_state_can_be_asked_for_when_state_is_initialized() -> None:
    harness = OperatorHarness(KeyedProcessSpec(CountsPerKey()), [lambda value: value])
    harness.process_elements(["a", "b", "a"])
    again = harness.restored()
    again.process_elements(["a", "b"])
    assert again.extract_output_values() == [("a", 3), ("b", 2)]


class AsksForKeys(ProcessFunction, CheckpointedFunction):
    def initialize_state(self, context: Any) -> None:
        context.get_keyed_state_store()

    def snapshot_state(self, context: Any) -> None:
        pass

    def process_element(self, value: Any, ctx: Any) -> None:
        pass


def test_keyed_state_is_refused_without_keys() -> None:
    with pytest.raises(ProgramError, match="call key_by before it"):
        OperatorHarness(ProcessSpec(AsksForKeys()))


class Listening(MapFunction, CheckpointListener):
    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []

    def map(self, value: Any) -> Any:
        return value

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self.heard.append(("complete", checkpoint_id))

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        self.heard.append(("aborted", checkpoint_id))


def test_a_listener_is_told_how_checkpoints_end() -> None:
    function = Listening()
    with harness_of(row("map", function)) as harness:
        harness.snapshot(1)
        harness.notify_of_completed_checkpoint(1)
        harness.notify_of_aborted_checkpoint(2)
    assert function.heard == [("complete", 1), ("aborted", 2)]


class CannotSave(RememberingProcess):
    def snapshot_state(self, context: Any) -> None:
        raise RuntimeError("the disk is full")


def test_an_error_in_snapshot_state_is_the_users_and_names_the_line() -> None:
    harness = harness_of(ProcessSpec(CannotSave()))
    with pytest.raises(UserCodeError, match=r"the disk is full at .*test_checkpointed_functions\.py:\d+"):
        harness.snapshot()


class RememberingSink(Remembering, SinkFunction):
    def invoke(self, value: Any, context: Any) -> None:
        self.see(value)


def test_a_sink_function_keeps_operator_state() -> None:
    harness = harness_of(SinkSpec(FunctionSink(RememberingSink())))
    harness.process_elements([1, 2])
    again = harness.restored()
    again.process_element(3)
    function = again.spec.sink._function  # type: ignore[attr-defined]
    assert function.seen == [1, 2, 3]
    assert function.calls == ["initialize", "open"]


class TwoWays(RememberingSink, ListCheckpointed):  # type: ignore[misc]
    def restore_state(self, state: list[Any]) -> None:
        pass


def test_a_function_has_one_kind_of_state() -> None:
    with pytest.raises(ProgramError, match="derive it from one of them"):
        FunctionSink(TwoWays())


def test_row_functions_with_state_are_operators_of_their_own() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_collection([1, 2]).map(RememberingMap()).map(RememberingMap()).map(str).map(len)
    with stream.execute_and_collect() as results:
        assert list(results) == [len("[[1]]"), len("[[1], [1, 2]]")]
    env.from_collection([1]).map(RememberingMap()).map(RememberingMap()).map(str).map(len).print()
    vertex = compile_graph(env.get_stream_graph()).vertices[0]
    assert [operator.name for operator in vertex.operators][1:4] == ["Map", "Map", "Map -> Map"]


class CountingSource(Remembering, SourceFunction):
    """Counts up to a number, from where its state stands."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.running = True

    def run(self, ctx: Any) -> None:
        number = self.seen[-1] if self.seen else 0
        while self.running and number < self.last:
            with ctx.get_checkpoint_lock():
                number += 1
                self.seen = [number]
                ctx.collect(number)

    def cancel(self) -> None:
        self.running = False


def test_a_source_function_initializes_its_state_in_a_job() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = FunctionSource(CountingSource(3), bounded=True)
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "counting")
    with stream.execute_and_collect() as results:
        assert list(results) == [1, 2, 3]


class Link:
    """The way from the reader to the worker."""

    def __init__(self) -> None:
        self.woken = Event()
        self.wake_up = self.woken.set

    def send_split_request(self) -> None:
        pass

    def send_source_event(self, event: Any) -> None:
        pass


class RunningSource:
    """The operator of a source, polled by the test."""

    def __init__(self, last: int, before: tuple[Any, Any] | None = None) -> None:
        self.emitted: list[Any] = []
        context: Any = OperatorHarness(row("map", str)).context
        context.source_link = self.link = Link()
        context.output.emit = lambda batch: self.emitted.extend(batch.values)
        source = FunctionSource(CountingSource(last), bounded=True)
        self.operator: Any = SourceSpec(source, WatermarkStrategy.no_watermarks()).build(context)
        self.state: Any = context.operator_state
        if before is not None:
            context.restored_checkpoint_id = 1
            self.operator.restore(before[0])
            self.state.restore(before[1])
        self.operator.open()
        self.operator.start()
        if before is None:
            self.operator.reader.add_splits([FunctionSplit(0)])

    def snapshot(self) -> tuple[Any, Any]:
        return self.operator.take_snapshot(1), self.state.snapshot()

    def run(self) -> list[Any]:
        while (status := self.operator.poll()) is not InputStatus.END_OF_INPUT:
            if status is InputStatus.NOTHING_AVAILABLE:
                assert self.link.woken.wait(20)
                self.link.woken.clear()
        return self.emitted


def test_a_source_function_goes_on_where_its_state_stood_with_nothing_lost_or_twice() -> None:
    first = RunningSource(100_000)
    while not first.emitted:
        first.operator.poll()
    saved, seen = first.snapshot(), list(first.emitted)
    first.operator.close()
    assert len(seen) < 100_000
    second = RunningSource(100_000, saved)
    assert seen + second.run() == list(range(1, 100_001))
    second.operator.close()
