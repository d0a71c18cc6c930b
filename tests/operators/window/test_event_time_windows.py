"""Tumbling and sliding windows of event time: the fast way, the general way and the slow oracle give the same rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProgramError, UserCodeError
from penstock.operators.window.general import GeneralWindows
from penstock.operators.window.panes import PaneWindows
from penstock.operators.window.spec import Aggregated, Evaluation, Reduced, WindowSpec
from penstock.windows import (
    CountTrigger,
    EventTimeTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
    WindowStagger,
)
from tests.operators.window.programs import FORMS, Joined, Oracle, Script, play, scripts
from tests.operators.window.window_stage import LATE, WindowStage

shapes = st.tuples(st.integers(1, 15), st.integers(1, 15), st.integers(0, 14)).map(
    lambda shape: (shape[0], shape[1], shape[2] % shape[1])
)
latenesses = st.sampled_from([0, 1, 7, 1000])
forms = st.sampled_from(list(FORMS))


def spec_of(form: str, size: int, slide: int, offset: int, lateness: int) -> WindowSpec:
    contents, evaluation = FORMS[form]
    assigner = (
        TumblingEventTimeWindows.of(size, offset)
        if size == slide
        else SlidingEventTimeWindows.of(size, slide, offset)
    )
    return WindowSpec(assigner, EventTimeTrigger.create(), contents, evaluation, lateness, LATE)


@given(scripts, shapes, latenesses, forms)
def test_panes_give_the_rows_of_the_oracle_in_its_order(
    script: Script, shape: tuple[int, int, int], lateness: int, form: str
) -> None:
    stage = WindowStage(spec_of(form, *shape, lateness))
    assert isinstance(stage.operator, PaneWindows)
    assert play(script, stage) == Oracle(*shape, lateness, form).play(script)
    assert stage.is_empty


@given(scripts, shapes, latenesses, forms)
def test_the_general_operator_gives_the_rows_of_the_oracle_in_its_order(
    script: Script, shape: tuple[int, int, int], lateness: int, form: str
) -> None:
    stage = WindowStage(spec_of(form, *shape, lateness), GeneralWindows)
    assert play(script, stage) == Oracle(*shape, lateness, form).play(script)
    assert stage.is_empty


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
@given(script=scripts, shape=shapes, lateness=latenesses, form=forms)
def test_a_restore_after_every_step_changes_no_row(
    kind: type, script: Script, shape: tuple[int, int, int], lateness: int, form: str
) -> None:
    one_by_one: Script = [
        part
        for step in script
        for part in ([step] if isinstance(step, int) else [[record] for record in step])
    ]
    stage = WindowStage(spec_of(form, *shape, lateness), kind, restores=True)
    expected = Oracle(*shape, lateness, form).play(one_by_one)
    assert play(one_by_one, stage).without_order == expected.without_order


def test_only_the_default_trigger_without_evictor_takes_the_fast_way() -> None:
    tumbling = TumblingEventTimeWindows.of(10)
    assert WindowSpec(tumbling, EventTimeTrigger.create(), Reduced(max)).fits_panes
    assert not WindowSpec(tumbling, CountTrigger.of(3), Reduced(max)).fits_panes


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
def test_late_records_that_nobody_asked_for_are_counted(kind: type) -> None:
    spec = WindowSpec(TumblingEventTimeWindows.of(10), EventTimeTrigger.create(), Reduced(max))
    stage = WindowStage(spec, kind)
    stage.watermark(100)
    stage.give([("a", 1, 3), ("a", 2, 101), ("a", 3, 99)])
    assert dict(stage.metrics.collect())["windows.numLateRecordsDropped"] == 2


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
@pytest.mark.parametrize("timestamps", [(None, None), (5, -(2**63))])
def test_a_record_without_timestamp_is_refused(kind: type, timestamps: tuple[int | None, int | None]) -> None:
    spec = WindowSpec(TumblingEventTimeWindows.of(10), EventTimeTrigger.create(), Reduced(max))
    with pytest.raises(ProgramError, match="without a timestamp"):
        WindowStage(spec, kind).give([("a", 1, timestamps[0]), ("a", 2, timestamps[1])])


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
def test_the_record_that_a_reduce_function_failed_on_is_named(kind: type) -> None:
    def refuse(one: int, two: int) -> int:
        if two == 13:
            raise ValueError("unlucky")
        return one + two

    spec = WindowSpec(TumblingEventTimeWindows.of(10), EventTimeTrigger.create(), Reduced(refuse))
    with pytest.raises(UserCodeError, match=r"unlucky.*the record was 13"):
        WindowStage(spec, kind).give([("a", 1, 21), ("a", 2, 1), ("a", 3, 2), ("a", 13, 3), ("a", 4, 4)])


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
def test_a_result_that_is_none_is_not_emitted(kind: type) -> None:
    class Nothing(Joined):
        def get_result(self, accumulator: list[int]) -> None:  # type: ignore[override]
            return None

    spec = WindowSpec(
        TumblingEventTimeWindows.of(10), EventTimeTrigger.create(), Aggregated(Nothing()), Evaluation()
    )
    stage = WindowStage(spec, kind)
    stage.give([("a", ("a", (1,)), 1)])
    stage.watermark(10)
    assert stage.rows == []


@pytest.mark.parametrize("kind", [PaneWindows, GeneralWindows])
def test_windows_staggered_by_the_clock_stay_where_they_are_over_a_restore(kind: type) -> None:
    assigner = TumblingEventTimeWindows.of(10, 0, WindowStagger.NATURAL)
    stage = WindowStage(WindowSpec(assigner, EventTimeTrigger.create(), Reduced(max)), kind)
    stage.advance_clock(1003)
    stage.give([("a", 1, 3), ("a", 2, 12)])
    stage.restore()
    stage.advance_clock(4)
    stage.give([("a", 3, 13)])
    stage.restore()
    stage.watermark(100)
    assert stage.rows == [(2, 12), (3, 22)]
