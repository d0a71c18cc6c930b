"""The harness finds what is wrong with an operator, and says so."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import (
    CoMapFunction,
    FlatMapFunction,
    KeyedProcessFunction,
    MapFunction,
    ProcessFunction,
)
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.batch import RowBatch
from penstock.errors import ProgramError, StateError, UserCodeError
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.keyed_reduce import KeyedReduceSpec
from penstock.testing import (
    AdvanceTime,
    EndInput,
    HarnessSettings,
    KeyedOneInputHarness,
    KeyedTwoInputHarness,
    ModeOptions,
    OneInputHarness,
    OperatorContractBroken,
    OperatorHarness,
    StreamRecord,
    TwoInputHarness,
    Watermark,
    harness_of,
    operator_of,
    run_in_all_modes,
)

LATE = OutputTag("late")


class Counting(KeyedProcessFunction):
    """Counts per key, says so at a timer, and puts what is late aside."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count"))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        if value[1] <= ctx.timer_service().current_watermark():
            yield LATE, value
            return
        self.count.update((self.count.value() or 0) + 1)
        ctx.timer_service().register_event_time_timer(value[1] + 10)

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        yield ctx.get_current_key(), self.count.value(), timestamp


def counting() -> tuple[OperatorSpec, tuple[Any, ...]]:
    return operator_of(lambda stream: stream.key_by(lambda value: value[0]).process(Counting()))


def test_state_timers_and_side_outputs_come_through_every_mode() -> None:
    spec, keys = counting()
    script = [("a", 1), ("b", 2), ("a", 3), Watermark(12), ("b", 4), ("c", 20), ("a", 25), Watermark(40)]
    options = ModeOptions(output_key=lambda row: row[0], side_outputs={"late": [("b", 4)]})
    run_in_all_modes(spec, script, rows_by_hand(script), keys, options)


def rows_by_hand(script: list[Any]) -> list[Any]:
    """What the function says, worked out by hand: counts at the time of each watermark."""
    counts: dict[str, int] = {}
    timers: set[tuple[int, str]] = set()
    watermark, rows = -(2**63), []
    for step in script:
        if isinstance(step, Watermark):
            watermark = step.timestamp
            rows += [(key, counts[key], at) for at, key in sorted(timers) if at <= watermark]
            timers = {timer for timer in timers if timer[0] > watermark}
        elif step[1] > watermark:
            counts[step[0]] = counts.get(step[0], 0) + 1
            timers.add((step[1] + 10, step[0]))
    return rows


# Modes ------------------------------------------------------------------------------------------------------------------


class Forgetful(MapFunction):
    """Counts in a field of its own, which no checkpoint holds."""

    def __init__(self) -> None:
        self.count = 0

    def map(self, value: Any) -> Any:
        self.count += 1
        return self.count


def test_what_a_function_keeps_outside_of_state_is_found_by_a_restart() -> None:
    spec, _ = operator_of(lambda stream: stream.map(Forgetful()))
    with pytest.raises(AssertionError, match=r"mode 'restored after every step', step 2 of 3: .*'b'"):
        run_in_all_modes(spec, ["a", "b", "c"], [1, 2, 3])


def test_what_was_not_expected_is_shown_with_its_row() -> None:
    spec, _ = operator_of(lambda stream: stream.map(len))
    with pytest.raises(AssertionError, match=r"mode 'one by one': the main output .* from row 2 on"):
        run_in_all_modes(spec, ["a", "bc"], [1, 1])


def test_an_exception_of_the_operator_names_mode_and_step() -> None:
    spec, _ = operator_of(lambda stream: stream.map(lambda x: 1 // x))
    with pytest.raises(UserCodeError) as raised:
        run_in_all_modes(spec, [1, 0], [1, 1])
    assert any("mode 'one by one', after step 1 of 2" in note for note in raised.value.__notes__)


@dataclass(frozen=True)
class BatchSizeSpec(OperatorSpec):
    """Emits the size of each batch: something that depends on how records are cut into batches."""

    def build(self, context: OperatorContext) -> Operator:
        return BatchSize(context)


class BatchSize(Operator):
    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.output.emit(RowBatch([len(batch)]))


def test_an_operator_that_depends_on_the_size_of_batches_is_found() -> None:
    with pytest.raises(AssertionError, match="mode 'batched', step 1 of 2"):
        run_in_all_modes(BatchSizeSpec(), ["a", "b"], [1, 1])


@dataclass(frozen=True)
class TotalSpec(OperatorSpec):
    """Sums over all keys of its subtask, in a value of its own."""

    def build(self, context: OperatorContext) -> Operator:
        return Total(context)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class Total(Operator):
    total = 0

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        sums = []
        for value in batch.values:
            self.total += value
            sums.append(self.total)
        self.output.emit(RowBatch(sums))

    def snapshot(self, checkpoint_id: int) -> int:
        return self.total

    def restore(self, own: int) -> None:
        self.total = own


def test_a_keyed_operator_whose_keys_are_not_apart_is_found_when_it_is_rescaled() -> None:
    numbers = list(range(1, 10))
    with pytest.raises(AssertionError, match="mode 'rescaled to 2 after step 3"):
        run_in_all_modes(TotalSpec(), numbers, [1, 3, 6, 10, 15, 21, 28, 36, 45], [lambda x: x])


# The contract -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BadSpec(OperatorSpec):
    """Breaks the contract of operators in one way."""

    how: str
    kept: list[RowBatch] = field(default_factory=list)

    def build(self, context: OperatorContext) -> Operator:
        return Bad(self, context)


class Bad(Operator):
    def __init__(self, spec: BadSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._how = spec.how
        self._last: RowBatch | None = None

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._how == "changes its input":
            batch.values.append("more")
        if self._how == "changes what it emitted" and self._last is not None:
            self._last.values.append("more")
        if self._how == "has timestamps of another length":
            self.output.emit(RowBatch([1, 2], [3]))
        if self._how == "emits falling watermarks":
            self.output.watermark(5)
            self.output.watermark(4)
        self._last = RowBatch(list(batch.values))
        self.output.emit(self._last)

    def close(self) -> None:
        if self._how == "emits after the end":
            self.output.emit(RowBatch(["late"]))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("changes its input", "changed the lists of a batch that it was given"),
        ("changes what it emitted", "changed a batch after it had emitted it"),
        ("has timestamps of another length", "differ in length"),
        ("emits falling watermarks", "the watermark 4 came behind 5"),
        ("emits after the end", "emitted after the end"),
    ],
)
def test_an_operator_that_breaks_its_contract_is_found(how: str, message: str) -> None:
    harness = OperatorHarness(BadSpec(how))

    def run() -> None:
        harness.feed([StreamRecord("a"), Watermark(1), StreamRecord("b"), EndInput()])
        harness.close()

    with pytest.raises(OperatorContractBroken, match=message):
        run()


# Faces ------------------------------------------------------------------------------------------------------------------


class Twice(FlatMapFunction):
    def flat_map(self, value: Any) -> Any:
        return [value, value]


class Aside(ProcessFunction):
    def process_element(self, value: Any, ctx: ProcessFunction.Context) -> Any:
        yield (LATE, value) if value < 0 else value


class Both(CoMapFunction):
    def map1(self, value: Any) -> Any:
        return "first", value

    def map2(self, value: Any) -> Any:
        return "second", value


def test_functions_of_every_kind_have_a_harness() -> None:
    with OneInputHarness(Twice()) as flat:
        flat.process_element("a", 1)
        assert flat.extract_output_stream_records() == [StreamRecord("a", 1)] * 2
    with OneInputHarness(Aside()) as aside:
        aside.process_elements([1, -1])
        assert (aside.extract_output_values(), aside.get_side_output(LATE)) == ([1], [StreamRecord(-1)])
    for both in (TwoInputHarness(Both()), KeyedTwoInputHarness(Both(), len, len)):
        with both:
            both.process_element2("b")
            both.process_element1("a")
            assert both.extract_output_values() == [("second", "b"), ("first", "a")]


def test_a_restored_face_goes_on_with_its_state() -> None:
    with KeyedOneInputHarness(Counting(), lambda value: value[0]) as harness:
        harness.process_element(("a", 1))
        again = harness.restored()
        again.process_element(("a", 2))
        again.process_watermark(12)
        assert again.extract_output_values() == [("a", 2, 11), ("a", 2, 12)]
        assert harness.is_closed


def test_a_snapshot_of_before_can_be_restored_and_rescaled() -> None:
    harness = OperatorHarness(KeyedReduceSpec(max), [lambda x: x % 5])
    harness.process_elements([10, 11, 12])
    before = harness.snapshot()
    harness.process_elements([20, 21, 22])
    with harness.restored(before) as restored:
        restored.process_elements([0, 1, 2])
        assert restored.extract_output_values() == [10, 11, 12]
        parts = restored.rescaled(3)
        kept = [part.context.keyed_state.keys("_keyed_reduce") for part in parts]  # type: ignore[union-attr]
        assert sorted(key for keys in kept for key in keys) == [0, 1, 2]


def test_accumulators_metrics_and_time_can_be_read() -> None:
    class Counted(MapFunction):
        def open(self, runtime_context: RuntimeContext) -> None:
            self.seen = runtime_context.get_metrics_group().counter("seen")

        def map(self, value: Any) -> Any:
            self.seen.inc()
            return value

    with OneInputHarness(Counted()) as harness:
        harness.process_elements([1, 2])
        harness.feed([AdvanceTime(5), Watermark(3)])
        assert harness.get_metrics()["seen"] == 2
        assert (harness.get_processing_time(), harness.get_current_watermark()) == (5, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: OperatorHarness(KeyedReduceSpec(max)), "is keyed and has 1 inputs"),
        (
            lambda: harness_of(lambda s: s.map(str).rebalance().map(str)),
            "for one operator, and the program makes 2",
        ),
        (lambda: OneInputHarness(_Unknown()), "no operator is known for a _Unknown"),  # type: ignore[arg-type]
        (lambda: _with_watermark(5).process_watermark(5), "a watermark of 5 after 5"),
        (lambda: _ended().process_element(1), "has come to the end of all its inputs"),
        (lambda: harness_of(lambda s: s.map(str)).process_element(1, port=1), "input 1 is at its end"),
    ],
)
def test_a_harness_that_is_used_wrongly_says_how_it_is_used(call: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        call()


class _Unknown:
    pass


def _with_watermark(timestamp: int) -> OperatorHarness:
    harness = harness_of(lambda stream: stream.map(str))
    harness.process_watermark(timestamp)
    return harness


def _ended() -> OperatorHarness:
    harness = harness_of(lambda stream: stream.map(str))
    harness.end_input()
    return harness


def test_a_value_that_cannot_be_saved_is_named() -> None:
    harness = OperatorHarness(KeyedReduceSpec(max), [lambda x: 0], HarnessSettings(name="reduce"))
    harness.process_element(threading.Lock())
    with pytest.raises(
        StateError, match="state '_keyed_reduce' cannot be saved: under key 0 it holds a lock"
    ):
        harness.restored()
