"""Triggers, evictors and windows that end by count or never, in the window operator."""

from typing import Any

import pytest

from penstock.contracts.state import ValueStateDescriptor
from penstock.errors import ProgramError
from penstock.operators.window.spec import (
    Aggregated,
    Collected,
    Contents,
    Evaluation,
    Reduced,
    Style,
    WindowSpec,
)
from penstock.windows import (
    ContinuousEventTimeTrigger,
    CountEvictor,
    CountSlidingWindowAssigner,
    CountTrigger,
    CountTumblingWindowAssigner,
    DeltaTrigger,
    EventTimeTrigger,
    Evictor,
    GlobalWindows,
    NeverTrigger,
    ProcessingTimeoutTrigger,
    PurgingTrigger,
    TimeEvictor,
    Trigger,
    TriggerResult,
    TumblingEventTimeWindows,
    TumblingProcessingTimeWindows,
    WindowAssigner,
)
from tests.operators.window.programs import Joined
from tests.operators.window.window_stage import WindowStage

TENS = TumblingEventTimeWindows.of(10)
LISTING = Evaluation(Style.APPLY, lambda key, window, elements: [(key, list(elements))])


def stage_of(
    assigner: WindowAssigner[Any, Any],
    trigger: Trigger[Any, Any] | None = None,
    contents: Contents = Collected(),  # noqa: B008 - a frozen value
    evaluation: Evaluation = LISTING,
    restores: bool = True,
    **more: Any,
) -> WindowStage:
    trigger = trigger or assigner.get_default_trigger(None)
    return WindowStage(WindowSpec(assigner, trigger, contents, evaluation, **more), restores=restores)


def values(stage: WindowStage) -> list[Any]:
    return [value for value, _ in stage.take_rows()]


def test_a_count_trigger_fires_a_window_several_times_with_all_that_came() -> None:
    stage = stage_of(TENS, CountTrigger.of(2))
    stage.give([("a", 1, 1), ("a", 2, 2), ("b", 3, 3), ("a", 4, 4), ("a", 5, 5), ("a", 6, 6)])
    assert values(stage) == [("a", [1, 2]), ("a", [1, 2, 4, 5])]
    stage.watermark(100)
    assert values(stage) == []
    assert stage.is_empty


def test_a_purging_trigger_starts_anew_after_each_firing() -> None:
    stage = stage_of(TENS, PurgingTrigger.of(CountTrigger.of(2)))
    stage.give([("a", 1, 1), ("a", 2, 2), ("a", 4, 4), ("a", 5, 5), ("a", 6, 6)])
    assert values(stage) == [("a", [1, 2]), ("a", [4, 5])]
    stage.watermark(100)
    assert stage.is_empty


def test_a_purged_window_that_got_nothing_more_is_not_evaluated() -> None:
    stage = stage_of(TENS, PurgingTrigger.of(ContinuousEventTimeTrigger.of(3)))
    stage.give([("a", 1, 1)])
    stage.watermark(4)
    stage.watermark(20)
    assert values(stage) == [("a", [1])]
    assert stage.is_empty


def test_a_continuous_trigger_fires_at_every_interval_and_at_the_end() -> None:
    stage = stage_of(TENS, ContinuousEventTimeTrigger.of(4))
    stage.give([("a", 1, 1)])
    stage.watermark(5)
    stage.give([("a", 2, 6)])
    stage.watermark(30)
    assert stage.take_rows() == [(("a", [1]), 9), (("a", [1, 2]), 9), (("a", [1, 2]), 9)]
    assert stage.is_empty


def test_a_delta_trigger_remembers_the_record_that_fired_last() -> None:
    stage = stage_of(GlobalWindows.create(), DeltaTrigger.of(3, lambda old, new: new - old))
    stage.give([("a", 1, None), ("a", 4, None), ("a", 5, None), ("a", 8, None), ("a", 9, None)])
    assert values(stage) == [("a", [1, 4, 5]), ("a", [1, 4, 5, 8, 9])]


def test_a_global_window_that_never_fires_gives_nothing() -> None:
    stage = stage_of(GlobalWindows.create())
    stage.give([("a", 1, 1)])
    stage.watermark(2**63 - 1)
    assert values(stage) == []


def test_a_global_window_with_the_trigger_of_the_end_fires_once_all_input_has_come() -> None:
    stage = stage_of(GlobalWindows.create_with_end_of_stream_trigger())
    stage.give([("a", 1, 1), ("b", 2, 1), ("a", 3, 1)])
    stage.watermark(2**63 - 1)
    assert sorted(values(stage)) == [("a", [1, 3]), ("b", [2])]


def test_tumbling_count_windows_of_each_key_leave_an_unfinished_one_behind() -> None:
    stage = stage_of(CountTumblingWindowAssigner.of(2))
    stage.give([("a", 1, 10), ("b", 2, 20), ("a", 3, 30), ("a", 4, 40), ("b", 5, 50)])
    # Of windows without an end, results carry the time of the record that made them fire.
    assert stage.take_rows() == [(("a", [1, 3]), 30), (("b", [2, 5]), 50)]
    stage.watermark(2**63 - 1)
    assert values(stage) == []


def test_sliding_count_windows_hold_the_latest_records() -> None:
    stage = stage_of(CountSlidingWindowAssigner.of(3, 2))
    stage.give([("a", n, None) for n in range(7)])
    assert values(stage) == [("a", [0, 1, 2]), ("a", [2, 3, 4]), ("a", [4, 5, 6])]


def test_windows_of_the_clock_fire_when_it_passes_their_end() -> None:
    stage = stage_of(TumblingProcessingTimeWindows.of(10))
    stage.advance_clock(3)
    stage.give([("a", 1, None), ("b", 2, None)])
    stage.advance_clock(5)
    stage.give([("a", 3, None)])
    assert values(stage) == []
    stage.advance_clock(1)
    assert sorted(stage.take_rows()) == [(("a", [1, 3]), 9), (("b", [2]), 9)]
    assert stage.is_empty


def test_what_the_clock_has_not_come_to_is_dropped_at_the_end_of_the_input() -> None:
    stage = stage_of(TumblingProcessingTimeWindows.of(10), restores=False)
    stage.give([("a", 1, None)])
    stage.operator.finish()
    stage.advance_clock(100)
    assert values(stage) == []
    stage.operator.close()


def test_a_timeout_fires_a_window_that_waits_too_long() -> None:
    stage = stage_of(TENS, ProcessingTimeoutTrigger.of(EventTimeTrigger.create(), 5))
    stage.give([("a", 1, 1)])
    stage.advance_clock(5)
    assert values(stage) == [("a", [1])]


def test_a_window_whose_trigger_deleted_the_last_timer_is_still_cleaned_up() -> None:
    stage = stage_of(TENS, ProcessingTimeoutTrigger.of(EventTimeTrigger.create(), 5))
    stage.give([("a", 1, 1)])
    stage.advance_clock(5)
    stage.take_rows()
    # The timeout made the nested trigger forget its timer, which is that of the end of the window: no other firing.
    stage.watermark(50)
    assert values(stage) == []
    assert stage.is_empty


def test_a_trigger_is_asked_at_the_end_of_the_window_even_without_a_timer_of_its_own() -> None:
    class Last(Trigger[Any, Any]):
        def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
            return TriggerResult.CONTINUE

        def on_event_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
            return TriggerResult.FIRE

        def on_processing_time(self, time: int, window: Any, ctx: Any) -> TriggerResult:
            return TriggerResult.CONTINUE

        def clear(self, window: Any, ctx: Any) -> None:
            """Nothing is kept."""

    stage = stage_of(TENS, Last(), allowed_lateness_ms=3)
    stage.give([("a", 1, 1)])
    stage.watermark(11)
    assert values(stage) == []
    stage.watermark(12)
    assert values(stage) == [("a", [1])]


def test_each_window_has_its_own_state_of_the_trigger() -> None:
    class Second(EventTimeTrigger[Any, Any]):
        seen = ValueStateDescriptor("seen")

        def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
            seen = ctx.get_partitioned_state(self.seen)
            seen.update((seen.value() or 0) + 1)
            return TriggerResult.FIRE if seen.value() == 2 else TriggerResult.CONTINUE

        def clear(self, window: Any, ctx: Any) -> None:
            ctx.get_partitioned_state(self.seen).clear()

    stage = stage_of(TENS, Second(), restores=False)
    stage.give([("a", 1, 1), ("a", 2, 11), ("b", 3, 1), ("a", 4, 2), ("a", 5, 12)])
    assert values(stage) == [("a", [1, 4]), ("a", [2, 5])]
    stage.watermark(100)
    assert stage.is_empty


def test_a_trigger_that_answers_nothing_is_told_so() -> None:
    class Forgetful(NeverTrigger[Any, Any]):
        def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> Any:
            return None

    with pytest.raises(ProgramError, match="Forgetful answered None; a trigger returns a TriggerResult"):
        stage_of(TENS, Forgetful()).give([("a", 1, 1)])


@pytest.mark.parametrize(
    ("contents", "evaluation", "result"),
    [
        (Collected(), LISTING, ("a", [3, 4])),
        (Reduced(lambda one, two: one * 10 + two), Evaluation(), 34),
        (Reduced(lambda one, two: one * 10 + two), LISTING, ("a", [34])),
    ],
)
def test_with_an_evictor_only_what_it_left_is_evaluated(
    contents: Contents, evaluation: Evaluation, result: Any
) -> None:
    stage = stage_of(TENS, EventTimeTrigger(), contents, evaluation, evictor=CountEvictor.of(2))
    stage.give([("a", n, n) for n in range(1, 5)])
    stage.watermark(10)
    assert values(stage) == [result]
    assert stage.is_empty


def test_an_aggregate_with_an_evictor_starts_from_what_was_left() -> None:
    stage = stage_of(TENS, None, Aggregated(Joined()), Evaluation(), evictor=TimeEvictor.of(2))
    stage.give([("a", ("a", (n,)), n) for n in (1, 5, 4)])
    stage.watermark(10)
    assert values(stage) == [(5, 4)]


def test_what_is_evicted_after_a_firing_is_gone_for_the_next() -> None:
    stage = stage_of(TENS, CountTrigger.of(3), evictor=CountEvictor.of(1, True))
    stage.give([("a", n, n) for n in range(6)])
    assert values(stage) == [("a", [0, 1, 2]), ("a", [2, 3, 4, 5])]


def test_a_window_with_all_records_evicted_is_evaluated_without_them_but_never_reduced() -> None:
    class Everything(Evictor[Any, Any]):
        def evict_before(self, elements: list[Any], size: int, window: Any, evictor_context: Any) -> None:
            elements.clear()

        def evict_after(self, elements: list[Any], size: int, window: Any, evictor_context: Any) -> None:
            """Nothing is left to evict."""

    stage = stage_of(TENS, None, evictor=Everything())
    stage.give([("a", 1, 1)])
    stage.watermark(10)
    assert values(stage) == [("a", [])]
    stage = stage_of(TENS, None, Reduced(max), Evaluation(), evictor=Everything())
    stage.give([("a", 1, 1)])
    stage.watermark(10)
    assert values(stage) == []
