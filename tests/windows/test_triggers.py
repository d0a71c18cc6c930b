"""When windows fire."""

import pickle
from typing import Any

import pytest

from penstock.data.elements import MAX_WATERMARK
from penstock.errors import ProgramError
from penstock.windows import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    CountTrigger,
    DeltaTrigger,
    EndOfStreamTrigger,
    EventTimeTrigger,
    GlobalWindow,
    GlobalWindows,
    NeverTrigger,
    ProcessingTimeoutTrigger,
    ProcessingTimeTrigger,
    PurgingTrigger,
    TimeWindow,
    Trigger,
    TriggerResult,
)
from tests.windows.flink_rows import TRIGGER_ROWS
from tests.windows.scripts import Player
from tests.windows.trigger_stage import TriggerStage

CONTINUE, FIRE, PURGE, FIRE_AND_PURGE = (
    TriggerResult.CONTINUE, TriggerResult.FIRE, TriggerResult.PURGE, TriggerResult.FIRE_AND_PURGE,
)  # fmt: skip
WINDOW = TimeWindow(0, 10)


def scripts_of_flink() -> list[list[str]]:
    """The recorded rows, one list for each trigger."""
    scripts: list[list[str]] = []
    for row in TRIGGER_ROWS.strip().splitlines():
        if row.startswith("T "):
            scripts.append([])
        scripts[-1].append(row)
    return scripts


@pytest.mark.parametrize("script", scripts_of_flink(), ids=lambda script: script[0])
def test_a_trigger_does_what_flinks_does(script: list[str]) -> None:
    player = Player()
    lines = [row.split(" | ")[0] for row in script]
    assert [f"{line} | {player.play(line)}" for line in lines] == script


def test_results_say_whether_to_evaluate_and_whether_to_drop() -> None:
    assert [(result.name, result.is_fire(), result.is_purge()) for result in TriggerResult] == [
        ("CONTINUE", False, False), ("FIRE_AND_PURGE", True, True), ("FIRE", True, False), ("PURGE", False, True),
    ]  # fmt: skip


def test_an_event_time_trigger_fires_at_the_end_and_at_once_for_late_records() -> None:
    stage = TriggerStage(EventTimeTrigger.create())
    assert stage.element("early", 3, WINDOW) is CONTINUE
    assert stage.event_timers == {(WINDOW, 9)}
    assert stage.event_time(9, WINDOW) is FIRE
    assert stage.element("late", 3, WINDOW) is FIRE
    assert stage.event_timers == set()


def test_the_timer_that_cleans_up_after_the_allowed_lateness_does_not_fire() -> None:
    assert TriggerStage(EventTimeTrigger.create()).event_time(14, WINDOW) is CONTINUE


@pytest.mark.parametrize(
    "trigger",
    [
        EventTimeTrigger.create(),
        ProcessingTimeTrigger.create(),
        ContinuousProcessingTimeTrigger.of(4),
        CountTrigger.of(5),
        DeltaTrigger.of(1.0, lambda old, new: new - old),
        ProcessingTimeoutTrigger.of(CountTrigger.of(5), 3),
        PurgingTrigger.of(EventTimeTrigger.create()),
        NeverTrigger(),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_clear_leaves_no_timer_and_no_state(trigger: Trigger[Any, Any]) -> None:
    stage = TriggerStage(trigger)
    stage.element(1, 3, WINDOW)
    stage.clear(WINDOW)
    assert (stage.event_timers, stage.processing_timers, stage.cells) == (set(), set(), {})


def test_a_continuous_trigger_leaves_only_the_timer_at_the_end_of_the_window_when_cleared() -> None:
    stage = TriggerStage(ContinuousEventTimeTrigger.of(4))
    stage.element("record", 3, WINDOW)
    stage.clear(WINDOW)
    assert (stage.event_timers, stage.cells) == ({(WINDOW, 9)}, {})


def test_a_continuous_trigger_fires_at_multiples_of_its_interval_and_at_the_end() -> None:
    stage = TriggerStage(ContinuousEventTimeTrigger.of(4))
    stage.element("record", 1, WINDOW)
    fired = []
    while stage.event_timers:
        time = min(time for _, time in stage.event_timers)
        fired.append((time, stage.event_time(time, WINDOW)))
    assert fired == [(4, FIRE), (8, FIRE), (9, FIRE)]


def test_a_continuous_trigger_keeps_to_multiples_before_the_epoch() -> None:
    window = TimeWindow(-20, 20)
    stage = TriggerStage(ContinuousEventTimeTrigger.of(5))
    stage.element("record", -7, window)
    assert stage.event_timers == {(window, -5), (window, 19)}


def test_a_timer_that_a_continuous_trigger_forgot_is_ignored() -> None:
    stage = TriggerStage(ContinuousProcessingTimeTrigger.of(5))
    assert stage.processing_time(5, WINDOW) is CONTINUE


@pytest.mark.parametrize("interval", [0, -1])
def test_an_interval_has_to_be_positive(interval: int) -> None:
    with pytest.raises(ProgramError, match="has to be positive"):
        ContinuousEventTimeTrigger.of(interval)
    with pytest.raises(ProgramError, match="has to be positive"):
        ProcessingTimeoutTrigger.of(CountTrigger.of(1), interval)


def test_merged_windows_go_on_with_the_earlier_firing_and_the_sum_of_counts() -> None:
    one, other, result = TimeWindow(0, 6), TimeWindow(5, 12), TimeWindow(0, 12)
    continuous = TriggerStage(ContinuousEventTimeTrigger.of(4))
    continuous.element("record", 9, other)
    continuous.element("record", 1, one)
    continuous.merge(result, [one, other])
    assert (result, 4) in continuous.event_timers
    counting = TriggerStage(CountTrigger.of(3))
    assert [counting.element("record", 0, window) for window in (one, other)] == [CONTINUE, CONTINUE]
    counting.merge(result, [one, other])
    assert counting.element("record", 0, result) is FIRE


def test_a_merged_window_that_is_over_registers_no_timer() -> None:
    stage = TriggerStage(EventTimeTrigger.create())
    stage.watermark = 20
    stage.merge(TimeWindow(0, 12), [TimeWindow(0, 6), TimeWindow(5, 12)])
    assert stage.event_timers == set()
    stage = TriggerStage(ProcessingTimeTrigger.create())
    stage.now_ms = 20
    stage.merge(TimeWindow(0, 12), [TimeWindow(0, 6), TimeWindow(5, 12)])
    assert stage.processing_timers == set()


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        (EventTimeTrigger.create(), True),
        (ProcessingTimeTrigger.create(), True),
        (ContinuousEventTimeTrigger.of(1), True),
        (ContinuousProcessingTimeTrigger.of(1), True),
        (CountTrigger.of(1), True),
        (PurgingTrigger.of(CountTrigger.of(1)), True),
        (PurgingTrigger.of(NeverTrigger()), False),
        (DeltaTrigger.of(1.0, lambda old, new: 0.0), False),
        (ProcessingTimeoutTrigger.of(CountTrigger.of(1), 1), False),
        (NeverTrigger(), False),
        (EndOfStreamTrigger(), False),
    ],
)
def test_each_trigger_says_whether_it_can_merge(trigger: Trigger[Any, Any], expected: bool) -> None:
    assert trigger.can_merge() is expected


def test_merging_with_a_trigger_that_cannot_is_an_error() -> None:
    stage = TriggerStage(DeltaTrigger.of(1.0, lambda old, new: 0.0))
    with pytest.raises(ProgramError, match="DeltaTrigger cannot be used with windows that merge"):
        stage.merge(WINDOW, [])


def test_a_delta_trigger_fires_when_a_record_is_further_than_the_threshold_from_the_last_that_fired() -> None:
    stage = TriggerStage(DeltaTrigger.of(2.0, lambda old, new: abs(new - old)))
    assert [stage.element(value, 0, WINDOW) for value in (1, 3, 4, 5, 1, 6)] == [
        CONTINUE, CONTINUE, FIRE, CONTINUE, FIRE, FIRE,
    ]  # fmt: skip


def test_a_purging_trigger_leaves_other_answers_as_they_are() -> None:
    class Purges(NeverTrigger[Any, Any]):
        def on_element(self, element: Any, timestamp: int, window: Any, ctx: Any) -> TriggerResult:
            return PURGE

    assert TriggerStage(PurgingTrigger.of(Purges())).element("record", 0, WINDOW) is PURGE


def test_a_timeout_fires_what_did_not_reach_the_count_and_starts_the_count_anew() -> None:
    stage = TriggerStage(ProcessingTimeoutTrigger.of(CountTrigger.of(3), 100))
    stage.element("one", 0, WINDOW)
    stage.now_ms = 60
    stage.element("two", 0, WINDOW)
    assert stage.processing_timers == {(WINDOW, 100)}
    assert stage.processing_time(100, WINDOW) is FIRE
    assert stage.element("three", 0, WINDOW) is CONTINUE
    assert stage.processing_timers == {(WINDOW, 200)}


def test_global_windows_can_fire_once_when_the_input_ends() -> None:
    window = GlobalWindow.get()
    trigger = GlobalWindows.create_with_end_of_stream_trigger().get_default_trigger(None)
    stage = TriggerStage(trigger)
    assert stage.element("record", 0, window) is CONTINUE
    assert stage.event_timers == {(window, MAX_WATERMARK)}
    assert stage.processing_time(5, window) is CONTINUE
    assert stage.event_time(5, window) is CONTINUE
    assert stage.event_time(MAX_WATERMARK, window) is FIRE


def test_a_never_trigger_never_fires() -> None:
    stage = TriggerStage(NeverTrigger())
    assert stage.element("record", 0, WINDOW) is CONTINUE
    assert stage.event_time(9, WINDOW) is CONTINUE
    assert stage.processing_time(9, WINDOW) is CONTINUE
    stage.merge(WINDOW, [])


def test_triggers_survive_pickling() -> None:
    trigger = pickle.loads(pickle.dumps(PurgingTrigger.of(ContinuousEventTimeTrigger.of(4))))
    stage = TriggerStage(trigger)
    stage.element("record", 1, WINDOW)
    assert stage.event_time(4, WINDOW) is FIRE_AND_PURGE
