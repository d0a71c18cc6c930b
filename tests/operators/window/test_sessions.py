"""Windows that merge: sessions against a slow oracle, and what merges with them."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.context import WindowContext
from penstock.contracts.functions import ProcessWindowFunction
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.elements import MAX_WATERMARK
from penstock.errors import ProgramError
from penstock.operators.window.merging import MergingWindows
from penstock.operators.window.spec import Collected, Evaluation, Reduced, Style, WindowSpec
from penstock.windows import (
    CountEvictor,
    CountTrigger,
    EventTimeSessionWindows,
    EventTimeTrigger,
    MergingWindowAssigner,
    ProcessingTimeSessionWindows,
    ProcessingTimeTrigger,
    TimeWindow,
)
from tests.operators.window.programs import FORMS, Played, Script, play, result_of, scripts
from tests.operators.window.window_stage import LATE, Row, WindowStage

latenesses = st.sampled_from([0, 3, 20])
gaps = st.integers(1, 12)
forms = st.sampled_from(list(FORMS))


@dataclass
class Session:
    start: int
    end: int
    numbers: list[int]


@dataclass
class SessionOracle:
    """Sessions as one would explain them."""

    gap: int
    lateness: int
    form: str
    watermark: int = -(2**63)
    sessions: dict[str, list[Session]] = field(default_factory=dict)

    def play(self, script: Script) -> Played:
        played = Played()
        number = 0
        for step in [*script, MAX_WATERMARK]:
            rows: list[Row] = []
            if isinstance(step, int):
                rows = self._advance(step)
            else:
                for key, time in step:
                    rows += self._add(key, number, time, played)
                    number += 1
            played.steps.append(rows)
        return played

    def _add(self, key: str, number: int, time: int, played: Played) -> list[Row]:
        known = self.sessions.setdefault(key, [])
        joined = [session for session in known if session.start <= time + self.gap and time <= session.end]
        if not joined and time + self.gap - 1 + self.lateness <= self.watermark:
            if time + self.lateness <= self.watermark:
                played.late.append(((key, (number,)), time))
            return []
        grown = Session(
            min([time, *(session.start for session in joined)]),
            max([time + self.gap, *(session.end for session in joined)]),
            sorted([number, *(n for session in joined for n in session.numbers)]),
        )
        self.sessions[key] = [session for session in known if session not in joined] + [grown]
        return [self._row(key, grown)] if grown.end - 1 <= self.watermark else []

    def _advance(self, watermark: int) -> list[Row]:
        before, self.watermark = self.watermark, max(watermark, self.watermark)
        rows: list[Row] = []
        for key, sessions in self.sessions.items():
            rows += [self._row(key, each) for each in sessions if before < each.end - 1 <= watermark]
            self.sessions[key] = [each for each in sessions if each.end - 1 + self.lateness > self.watermark]
        return rows

    def _row(self, key: str, session: Session) -> Row:
        return result_of(self.form, key, session.start, session.end, session.numbers), session.end - 1


def in_any_order(played: Played) -> Any:
    """The rows of each step sorted, and the numbers in each result too: how merged sessions are ordered is not promised."""

    def tidy(value: Any) -> Any:
        if isinstance(value, tuple) and value and isinstance(value[-1], tuple):
            return (*value[:-1], tuple(sorted(value[-1])))
        return tuple(sorted(value))

    def deep(value: Any) -> Any:
        match value:
            case (key, start, end, ((word, tuple() as numbers),)) if isinstance(word, str):
                return key, start, end, ((word, tuple(sorted(numbers))),)
            case (key, start, end, (tuple() as numbers,)) if all(isinstance(n, int) for n in numbers):
                return key, start, end, (tuple(sorted(numbers)),)
        return tidy(value)

    return [sorted((deep(value), time) for value, time in rows) for rows in played.steps], played.late


def spec_of(form: str, gap: int, lateness: int) -> WindowSpec:
    contents, evaluation = FORMS[form]
    sessions = EventTimeSessionWindows.with_gap(gap)
    return WindowSpec(sessions, EventTimeTrigger.create(), contents, evaluation, lateness, LATE)


@given(scripts, gaps, latenesses, forms)
def test_sessions_give_the_rows_of_the_oracle(script: Script, gap: int, lateness: int, form: str) -> None:
    stage = WindowStage(spec_of(form, gap, lateness))
    assert isinstance(stage.operator, MergingWindows)
    assert in_any_order(play(script, stage)) == in_any_order(SessionOracle(gap, lateness, form).play(script))
    assert stage.is_empty


@given(scripts, gaps, latenesses, forms)
def test_a_restore_after_every_step_changes_no_session(
    script: Script, gap: int, lateness: int, form: str
) -> None:
    one_by_one: Script = [
        part
        for step in script
        for part in ([step] if isinstance(step, int) else [[record] for record in step])
    ]
    stage = WindowStage(spec_of(form, gap, lateness), restores=True)
    expected = SessionOracle(gap, lateness, form).play(one_by_one)
    assert in_any_order(play(one_by_one, stage)) == in_any_order(expected)


def test_the_counts_of_a_trigger_are_added_when_sessions_merge() -> None:
    sessions = EventTimeSessionWindows.with_gap(10)
    stage = WindowStage(WindowSpec(sessions, CountTrigger.of(5), Collected(), *_listing()))
    stage.give([("a", 1, 0), ("a", 2, 1), ("a", 3, 30), ("a", 4, 31)])
    assert stage.rows == []
    # The last one joins both sessions into one, with five records and more.
    stage.give([("a", 5, 9), ("a", 6, 19), ("a", 7, 22)])
    assert [(sorted(numbers), time) for numbers, time in stage.rows] == [([1, 2, 3, 4, 5, 6, 7], 40)]


def test_an_evictor_sees_the_records_of_all_sessions_that_merged() -> None:
    spec = WindowSpec(
        EventTimeSessionWindows.with_gap(10),
        EventTimeTrigger.create(),
        Reduced(lambda one, two: one + two),
        evictor=CountEvictor.of(2),
    )
    stage = WindowStage(spec)
    stage.give([("a", "v", 0), ("a", "w", 15), ("a", "x", 8)])
    stage.watermark(100)
    assert stage.rows == [("wx", 24)]
    assert stage.is_empty


def test_a_session_by_the_clock_ends_when_nothing_came_for_the_gap() -> None:
    sessions = ProcessingTimeSessionWindows.with_gap(10)
    stage = WindowStage(WindowSpec(sessions, ProcessingTimeTrigger.create(), Collected(), *_listing()))
    stage.give([("a", 1, None)])
    stage.advance_clock(8)
    stage.give([("a", 2, None)])
    stage.advance_clock(8)
    assert stage.rows == []
    stage.advance_clock(2)
    assert stage.rows == [([1, 2], 17)]
    assert stage.is_empty


def test_windows_that_merge_have_no_state_of_their_own() -> None:
    class Stateful(ProcessWindowFunction):
        def process(self, key: Any, context: WindowContext, elements: Any) -> Any:
            context.window_state().get_state(ValueStateDescriptor("own"))

    stage = WindowStage(
        WindowSpec(
            EventTimeSessionWindows.with_gap(10),
            EventTimeTrigger.create(),
            Collected(),
            Evaluation(Style.PROCESS, Stateful()),
        )
    )
    stage.give([("a", 1, 0)])
    with pytest.raises(ProgramError, match="not allowed when using merging windows"):
        stage.watermark(50)


def test_a_merge_into_a_window_that_is_over_is_refused() -> None:
    class Shrinking(EventTimeSessionWindows[Any]):
        def merge_windows(
            self, windows: Any, callback: MergingWindowAssigner.MergeCallback[TimeWindow]
        ) -> None:
            windows = list(windows)
            if len(windows) > 1:
                callback.merge(windows, TimeWindow(0, 1))

    stage = WindowStage(WindowSpec(Shrinking(10), EventTimeTrigger.create(), Collected(), *_listing()))
    stage.watermark(5)
    stage.give([("a", 1, 3)])
    with pytest.raises(ProgramError, match="must not end before its parts"):
        stage.give([("a", 2, 4)])


def _listing() -> tuple[Evaluation]:
    return (Evaluation(Style.APPLY, lambda key, window, elements: [list(elements)]),)
