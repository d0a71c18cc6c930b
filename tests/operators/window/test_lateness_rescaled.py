"""Allowed lateness over a change of parallelism: windows that have fired stay fired, and what is too late stays so."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.contracts.output_tag import OutputTag
from penstock.data.elements import Watermark
from penstock.data.key_groups import subtask_of_key_group
from penstock.data.keys import key_group
from penstock.operators.window.spec import Evaluation, Reduced, WindowSpec
from penstock.testing import HarnessSettings, ModeOptions, OperatorHarness, StreamRecord, run_in_all_modes
from penstock.testing.operator_harness import restored
from penstock.windows.assigners.sessions import EventTimeSessionWindows
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows
from penstock.windows.evictors import CountEvictor
from penstock.windows.triggers.once import EventTimeTrigger

LATE = OutputTag("late")
Pair = tuple[str, int]


def added(one: Pair, two: Pair) -> Pair:
    return one[0], one[1] + two[1]


def spec_of(kind: str) -> WindowSpec:
    assigner: Any = EventTimeSessionWindows(10) if kind == "sessions" else TumblingEventTimeWindows(10, 0)
    evictor = CountEvictor.of(1_000) if kind == "record by record" else None
    trigger = EventTimeTrigger.create()
    return WindowSpec(assigner, trigger, Reduced(added), Evaluation(), 100, LATE, evictor)


SCRIPT = [
    StreamRecord(("a", 1), 1),
    StreamRecord(("b", 2), 1),
    Watermark(30),  # both fire
    StreamRecord(("c", 4), 41),
    # scaled out here
    StreamRecord(("a", 8), 2),  # late: fires again, at once
    StreamRecord(("d", 16), 3),  # late, and the first of its key
    Watermark(60),
    StreamRecord(("b", 32), 1),
    # scaled in here
    StreamRecord(("c", 64), 41),
    Watermark(400),
    StreamRecord(("a", 128), 1),  # too late
]
ROWS = [("a", 1), ("b", 2), ("a", 9), ("d", 16), ("c", 4), ("b", 34), ("c", 68)]


@pytest.mark.parametrize("kind", ["panes", "record by record", "sessions"])
def test_windows_that_have_fired_do_not_fire_again_for_another_parallelism(kind: str) -> None:
    options = ModeOptions(side_outputs={LATE.tag_id: [("a", 128)]})
    run_in_all_modes(spec_of(kind), SCRIPT, ROWS, [lambda pair: pair[0]], options)


@pytest.mark.parametrize("parallelism", [1, 3])
@pytest.mark.parametrize("kind", ["panes", "record by record", "sessions"])
def test_the_watermark_is_known_before_it_comes_again(kind: str, parallelism: int) -> None:
    keys = [lambda pair: pair[0]]
    first = OperatorHarness(spec_of(kind), keys, HarnessSettings())
    two = restored([first], [first.snapshot()], 2)
    for harness in two:
        harness.feed([Watermark(0)])
    for record in (StreamRecord(("a", 1), 1), StreamRecord(("b", 2), 1)):
        owner_of(two, record).feed([record])
    fired: list[Any] = []
    for harness in two:
        harness.feed([Watermark(30)])
        fired += harness.take_outcome().records
    assert len(fired) == 2
    # A task that takes over from several gives its operator none of their own values.
    saved = [replace(harness.snapshot(), own=None) for harness in two]
    after = restored(two, saved, parallelism)
    for harness in after:
        harness.feed([Watermark(30)])
        assert not harness.take_outcome().records
        harness.close()


def owner_of(harnesses: list[OperatorHarness], record: StreamRecord) -> OperatorHarness:
    most = harnesses[0].settings.max_parallelism
    group = key_group(record.value[0], most)
    return harnesses[subtask_of_key_group(most, len(harnesses), group)]
