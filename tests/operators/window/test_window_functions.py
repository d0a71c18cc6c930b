"""Window functions: what they are given, their state, their side outputs, their life; and BATCH mode, key by key."""

from typing import Any

import pytest

from penstock.contracts.context import WindowContext
from penstock.contracts.functions import (
    AllWindowFunction,
    ProcessAllWindowFunction,
    ProcessWindowFunction,
    ReduceFunction,
    WindowFunction,
)
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.types import Types
from penstock.errors import TypeMismatch, UserCodeError
from penstock.operators.contract import Operator
from penstock.operators.window.general import GeneralWindows
from penstock.operators.window.panes import PaneWindows
from penstock.operators.window.spec import Collected, Evaluation, Reduced, Style, WindowSpec
from penstock.windows import (
    ContinuousEventTimeTrigger,
    CountTrigger,
    EventTimeSessionWindows,
    EventTimeTrigger,
    ProcessingTimeTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
)
from tests.operators.window.window_stage import SIDE, WindowStage

TENS = TumblingEventTimeWindows.of(10)
LISTING = Evaluation(Style.APPLY, lambda key, window, elements: [(key, list(elements))])
BOTH = pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])


class Firings(ProcessWindowFunction):
    """Counts firings per window and per key, and tells when a window ends."""

    own = ValueStateDescriptor("own")
    common = ValueStateDescriptor("common")

    def process(self, key: Any, context: WindowContext, elements: Any) -> Any:
        own = context.window_state().get_state(self.own)
        common = context.global_state().get_state(self.common)
        own.update((own.value() or 0) + 1)
        common.update((common.value() or 0) + 1)
        yield (
            key,
            context.window().start,
            list(elements),
            own.value(),
            common.value(),
            context.current_watermark(),
        )

    def clear(self, context: WindowContext) -> None:
        context.output(SIDE, ("cleared", context.window().start))
        context.window_state().get_state(self.own).clear()


@BOTH
@pytest.mark.parametrize("restores", [False, True])
def test_state_per_window_and_per_key_and_the_end_of_a_window(kind: type[Operator], restores: bool) -> None:
    spec = WindowSpec(
        TENS,
        EventTimeTrigger.create(),
        Collected(),
        Evaluation(Style.PROCESS, Firings()),
        allowed_lateness_ms=10,
    )
    stage = WindowStage(spec, kind, restores=restores)
    stage.give([("a", 1, 1), ("a", 2, 12)])
    stage.watermark(9)
    assert stage.take_rows() == [(("a", 0, [1], 1, 1, 9), 9)]
    stage.give([("a", 3, 2)])
    assert stage.take_rows() == [(("a", 0, [1, 3], 2, 2, 9), 9)]
    stage.watermark(19)
    assert stage.take_rows() == [(("a", 10, [2], 1, 3, 19), 19)]
    stage.watermark(40)
    assert stage.sides["side"] == [(("cleared", 0), 9), (("cleared", 10), 19)]


@BOTH
def test_pairs_with_a_tag_go_aside(kind: type[Operator]) -> None:
    class Splits(ProcessWindowFunction):
        def process(self, key: Any, context: WindowContext, elements: Any) -> Any:
            for element in elements:
                yield (SIDE, element) if element % 2 else element
            context.output(SIDE, "end")

    spec = WindowSpec(TENS, EventTimeTrigger.create(), Collected(), Evaluation(Style.PROCESS, Splits()))
    stage = WindowStage(spec, kind)
    stage.give([("a", n, n) for n in range(4)])
    stage.watermark(10)
    assert stage.rows == [(0, 9), (2, 9)]
    assert stage.sides["side"] == [(1, 9), (3, 9), ("end", 9)]


@BOTH
def test_functions_without_key_get_none(kind: type[Operator]) -> None:
    class All(AllWindowFunction):
        def apply(self, window: Any, inputs: Any) -> Any:
            return [(window.end, list(inputs))]

    class ProcessAll(ProcessAllWindowFunction):
        def process(self, context: WindowContext, elements: Any) -> Any:
            return [(context.window().end, list(elements))]

    for evaluation in (
        Evaluation(Style.APPLY, All(), False),
        Evaluation(Style.PROCESS, ProcessAll(), False),
        Evaluation(Style.APPLY, lambda window, elements: [(window.end, list(elements))], False),
    ):
        stage = WindowStage(WindowSpec(TENS, EventTimeTrigger.create(), Collected(), evaluation), kind)
        stage.give([(0, 1, 1), (0, 2, 2)])
        stage.watermark(10)
        assert stage.rows == [((10, [1, 2]), 9)]


@BOTH
def test_functions_are_opened_and_closed_once(kind: type[Operator]) -> None:
    calls: list[str] = []

    class Adds(ReduceFunction):
        def open(self, runtime_context: Any) -> None:
            calls.append("open reduce")

        def reduce(self, value1: Any, value2: Any) -> Any:
            return value1 + value2

        def close(self) -> None:
            calls.append("close reduce")

    class Shows(WindowFunction):
        def open(self, runtime_context: Any) -> None:
            calls.append("open window")

        def apply(self, key: Any, window: Any, inputs: Any) -> Any:
            return [list(inputs)]

        def close(self) -> None:
            calls.append("close window")

    spec = WindowSpec(TENS, EventTimeTrigger.create(), Reduced(Adds()), Evaluation(Style.APPLY, Shows()))
    stage = WindowStage(spec, kind)
    stage.give([("a", 1, 1), ("a", 2, 2)])
    stage.watermark(10)
    stage.operator.close()
    assert stage.rows == [([3], 9)]
    assert calls == ["open reduce", "open window", "close window", "close reduce"]


@BOTH
def test_an_error_of_a_window_function_names_window_and_key(kind: type[Operator]) -> None:
    def fails(key: Any, window: Any, elements: Any) -> Any:
        yield 1 // 0

    spec = WindowSpec(TENS, EventTimeTrigger.create(), Collected(), Evaluation(Style.APPLY, fails))
    stage = WindowStage(spec, kind)
    stage.give([("a", 1, 1)])
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*") as caught:
        stage.watermark(10)
    assert "when TimeWindow(start=0, end=10) of key 'a' was evaluated" in str(caught.value)


@BOTH
def test_results_that_are_not_of_the_declared_type_are_refused(kind: type[Operator]) -> None:
    spec = WindowSpec(TENS, EventTimeTrigger.create(), Reduced(max), output_type=Types.INT())
    stage = WindowStage(spec, kind)
    stage.give([("a", "text", 1)])
    with pytest.raises(TypeMismatch):
        stage.watermark(10)


RECORDS = [("a", 1, 15), ("a", 2, 3), ("a", 3, 17), ("b", 4, 2), ("b", 5, 40)]


@pytest.mark.parametrize("lateness", [0, 5])
@pytest.mark.parametrize(
    ("assigner", "kind"),
    [
        (TENS, PaneWindows),
        (TENS, GeneralWindows),
        (SlidingEventTimeWindows.of(10, 5), PaneWindows),
        (SlidingEventTimeWindows.of(10, 5), GeneralWindows),
        (EventTimeSessionWindows.with_gap(5), None),
    ],
)
def test_in_batch_mode_every_key_gives_what_it_gives_in_streaming_mode(
    assigner: Any, kind: type[Operator] | None, lateness: int
) -> None:
    spec = WindowSpec(assigner, EventTimeTrigger.create(), Collected(), LISTING, lateness)
    streaming = WindowStage(spec, kind)
    streaming.give(RECORDS)
    streaming.watermark(2**63 - 1)
    batch = WindowStage(spec, kind, batch_mode=True)
    for key in "ab":
        batch.give([record for record in RECORDS if record[0] == key])
        batch.end_key(key)
    assert batch.is_empty
    batch.watermark(2**63 - 1)
    assert batch.rows == sorted(streaming.rows, key=lambda row: row[0][0])


def test_in_batch_mode_windows_of_the_clock_fire_when_the_key_is_over() -> None:
    spec = WindowSpec(
        TumblingProcessingTimeWindows.of(10), ProcessingTimeTrigger.create(), Collected(), LISTING
    )
    stage = WindowStage(spec, batch_mode=True)
    stage.give([("a", 1, None), ("a", 2, None)])
    stage.advance_clock(100)
    stage.end_key("a")
    stage.operator.finish()
    assert stage.rows == [(("a", [1, 2]), 9)]
    assert stage.is_empty


def test_in_batch_mode_state_of_a_key_is_gone_after_it() -> None:
    spec = WindowSpec(TENS, CountTrigger.of(2), Collected(), Evaluation(Style.PROCESS, Firings()))
    stage = WindowStage(spec, batch_mode=True)
    for key in "ab":
        stage.give([(key, n, n) for n in range(3)])
        stage.end_key(key)
    stage.watermark(2**63 - 1)
    minimum = -(2**63)
    assert [value for value, _ in stage.rows] == [
        ("a", 0, [0, 1], 1, 1, minimum),
        ("b", 0, [0, 1], 1, 1, minimum),
    ]
    assert stage.is_empty


def test_in_batch_mode_timers_that_a_timer_sets_are_not_taken() -> None:
    spec = WindowSpec(TENS, ContinuousEventTimeTrigger.of(2), Collected(), LISTING)
    stage = WindowStage(spec, batch_mode=True)
    stage.give([("a", 1, 1)])
    stage.end_key("a")
    stage.watermark(2**63 - 1)
    # At 2, which the record set, and at the end of the window; not at 4, 6 and 8.
    assert [value for value, _ in stage.rows] == [("a", [1]), ("a", [1])]
