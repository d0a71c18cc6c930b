"""The interval join: its rows are those of a slow oracle and of Flink, in every mode, and nothing stays behind."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.join_functions import ProcessJoinContext, ProcessJoinFunction
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import ValueStateDescriptor
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP, Watermark
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.join.inner_loop import inner_loops
from penstock.operators.join.interval import STATE_NAME, IntervalJoinSpec
from penstock.testing import HarnessSettings, ModeOptions, OperatorHarness, StreamRecord, run_in_all_modes
from tests.operators.stage import Stage

LATE = (OutputTag("left late"), OutputTag("right late"))

Record = tuple[int, str, int, int]
"""Side, key, number, time."""

Script = list[Record | int]
"""Records, and watermarks."""

records = st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.integers(0, 99), st.integers(-10, 40))
scripts = st.lists(records | records | records | st.integers(-10, 50), max_size=25)
bounds = st.tuples(st.integers(-12, 12), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
keeps = st.tuples(st.booleans(), st.booleans())


def show(left: Any, right: Any, ctx: ProcessJoinContext) -> Iterator[Any]:
    yield left, right, ctx.get_left_timestamp(), ctx.get_right_timestamp(), ctx.get_timestamp()


def show_pair(left: Any, right: Any, ctx: ProcessJoinContext) -> list[Any]:
    return [(left, right), left] if left[1] % 3 else [(left, right)]


def yield_pair(left: Any, right: Any, ctx: ProcessJoinContext) -> Iterator[Any]:
    yield from show_pair(left, right, None)  # type: ignore[arg-type]


unread = st.sampled_from([show_pair, yield_pair])


def spec_of(bounds: tuple[int, int], keeps: tuple[bool, bool] = (False, False)) -> IntervalJoinSpec:
    return IntervalJoinSpec(*bounds, show, LATE, keeps)


def key_of(value: tuple[str, int]) -> str:
    return value[0]


@dataclass
class Oracle:
    """Every record is held against all records of the other side that are still kept."""

    bounds: tuple[int, int]
    keeps: tuple[bool, bool]
    watermark: int = MIN_TIMESTAMP
    kept: list[list[Any]] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    late: list[Any] = field(default_factory=list)

    def play(self, script: Script) -> list[list[Any]]:
        """The rows of each step, those of a watermark sorted."""
        steps = []
        for step in [*script, MAX_WATERMARK]:
            self.rows = []
            if isinstance(step, int):
                if step > self.watermark:
                    self.advance(step)
                    self.rows.sort(key=repr)
            else:
                self.add(step)
            steps.append(self.rows)
        return steps

    def add(self, record: Record) -> None:
        side, key, number, time = record
        value = (key, number)
        if time < self.watermark:
            self.late.append((side, value, time))
            return
        lower, upper = self.bounds
        mine = [side, value, time, False]
        for other in sorted(self.kept, key=lambda each: each[2]):
            left, left_time, right, right_time = (
                (value, time, other[1], other[2]) if side == 0 else (other[1], other[2], value, time)
            )
            if other[0] == side or other[1][0] != key or not lower <= right_time - left_time <= upper:
                continue
            mine[3] = other[3] = True
            pair_time = max(left_time, right_time)
            self.rows.append(((left, right, left_time, right_time, pair_time), pair_time))
        self.kept.append(mine)

    def advance(self, watermark: int) -> None:
        self.watermark = watermark
        for one in list(self.kept):
            side, value, time, matched = one
            gone_at = time + max(self.bounds[1] if side == 0 else -self.bounds[0], 0)
            if gone_at > watermark:
                continue
            self.kept.remove(one)
            if self.keeps[side] and not matched:
                row = (
                    (value, None, time, MIN_TIMESTAMP, gone_at)
                    if side == 0
                    else (None, value, MIN_TIMESTAMP, time, gone_at)
                )
                self.rows.append((row, gone_at))


def play(script: Script, stage: Stage, restores: bool = False) -> list[list[Any]]:
    steps = []
    late: list[Any] = []
    for step in [*script, MAX_WATERMARK]:
        if isinstance(step, int):
            if not restores or step > stage.operator._watermark:  # type: ignore[attr-defined]
                stage.watermark(step)
            steps.append(sorted((row for row in stage.take() if row[0] != "watermark"), key=repr))
        else:
            side, key, number, time = step
            stage.give([(key, number)], [time], key_of, side)
            steps.append(stage.take())
        late += [(0, *row) for row in stage.aside["left late"]] + [
            (1, *row) for row in stage.aside["right late"]
        ]
        for rows in stage.aside.values():
            rows.clear()
        if restores:
            stage = stage.restored()
    assert not stage.keyed_state.keys(STATE_NAME)
    assert stage.timers["interval-join-cleanup"].event_time.first_timestamp() is None
    steps.append(late)
    return steps


@given(scripts, bounds, keeps, st.booleans())
def test_the_rows_are_those_of_the_oracle_and_nothing_is_kept_at_the_end(
    script: Script, bounds: tuple[int, int], keeps: tuple[bool, bool], restores: bool
) -> None:
    stage = Stage(spec_of(bounds, keeps), sides=("left late", "right late"))
    oracle = Oracle(bounds, keeps)
    expected = oracle.play(script)
    assert play(script, stage, restores) == [*expected, oracle.late]


@given(scripts, bounds, st.booleans(), unread)
def test_a_function_that_never_looks_at_its_context_is_called_for_the_same_pairs(
    script: Script, bounds: tuple[int, int], restores: bool, function: Any
) -> None:
    oracle = Oracle(bounds, (False, False))
    expected = [
        [(result, time) for (left, right, *_), time in rows for result in show_pair(left, right, None)]  # type: ignore[arg-type]
        for rows in oracle.play(script)
    ]
    stage = Stage(IntervalJoinSpec(*bounds, function, LATE), sides=("left late", "right late"))
    assert play(script, stage, restores) == [*expected, oracle.late]


@given(st.lists(records, min_size=1, max_size=40), bounds, st.integers(1, 3))
def test_results_of_a_long_batch_are_emitted_before_its_end(
    script: list[Record], bounds: tuple[int, int], most: int
) -> None:
    stage = Stage(IntervalJoinSpec(*bounds, show_pair, LATE), sides=("left late", "right late"))
    stage.operator._loops = inner_loops(most, yields=False)  # type: ignore[attr-defined]
    oracle = Oracle(bounds, (False, False))
    for side in (0, 1):
        batch = [record for record in script if record[0] == side]
        if batch:
            stage.give([record[1:3] for record in batch], [record[3] for record in batch], key_of, side)
    in_order: Script = sorted(script, key=lambda record: record[0])
    rows = [row for rows in oracle.play(in_order) for row in rows]
    assert stage.take() == [
        (result, time)
        for (left, right, *_), time in rows
        for result in show_pair(left, right, None)  # type: ignore[arg-type]
    ]


@given(scripts, bounds, keeps)
def test_every_mode_gives_the_rows_of_the_oracle(
    script: Script, bounds: tuple[int, int], keeps: tuple[bool, bool]
) -> None:
    steps: list[Any] = []
    highest = MIN_TIMESTAMP
    growing: Script = []
    for step in [*script, MAX_WATERMARK]:
        if not isinstance(step, int):
            side, key, number, time = step
            steps.append(StreamRecord((key, number), time, side))
            growing.append(step)
        elif step > highest:
            highest = step
            steps.append(Watermark(step))
            growing.append(step)
    expected = [row for rows in Oracle(bounds, keeps).play(growing) for row, _ in rows]
    with OperatorHarness(spec_of(bounds, keeps), (key_of, key_of)) as harness:
        for step in steps:
            harness.feed([step])
        came = harness.extract_output_values()
    assert sorted(came, key=repr) == sorted(expected, key=repr)
    run_in_all_modes(spec_of(bounds, keeps), steps, came, (key_of, key_of))


@pytest.mark.parametrize("function", [show_pair, yield_pair])
@pytest.mark.parametrize("keeps", [(False, False), (True, True)])
def test_records_with_many_partners_give_the_same_in_every_mode(
    keeps: tuple[bool, bool], function: Any
) -> None:
    steps: list[Any] = [StreamRecord(("a", number), number, number % 2) for number in range(20)]
    steps += [StreamRecord(("a", number), number, 1 - number % 2) for number in range(20, 30)]
    spec = IntervalJoinSpec(-10, 10, function, keeps=keeps)
    with OperatorHarness(spec, (key_of, key_of)) as harness:
        for step in [*steps, Watermark(50)]:
            harness.feed([step])
        came = harness.extract_output_values()
    assert len(came) > 200
    run_in_all_modes(spec, [*steps, Watermark(50)], came, (key_of, key_of))


@given(st.lists(records, max_size=20), bounds, keeps)
def test_a_bounded_input_gives_the_same_pairs_in_batch_mode(
    script: list[Record], bounds: tuple[int, int], keeps: tuple[bool, bool]
) -> None:
    given_records = [StreamRecord((key, number), time, side) for side, key, number, time in script]
    expected = [row for rows in Oracle(bounds, keeps).play(list(script)) for row, _ in rows]
    with OperatorHarness(
        spec_of(bounds, keeps), (key_of, key_of), HarnessSettings(batch_mode=True)
    ) as harness:
        harness.process_bounded_input(given_records)
        came = harness.extract_output_values()
    assert sorted(came, key=repr) == sorted(expected, key=repr)


@given(scripts, bounds)
def test_batches_of_any_size_give_the_rows_of_single_records(script: Script, bounds: tuple[int, int]) -> None:
    stage = Stage(spec_of(bounds), sides=("left late", "right late"))
    waiting: list[Record] = []

    def give() -> None:
        if waiting:
            stage.give([record[1:3] for record in waiting], [r[3] for r in waiting], key_of, waiting[0][0])
            waiting.clear()

    for step in script:
        if isinstance(step, int) or (waiting and step[0] != waiting[0][0]):
            give()
        if isinstance(step, int):
            stage.watermark(step)
        else:
            waiting.append(step)
    give()
    rows = [row for row in stage.take() if row[0] != "watermark"]
    assert rows == [row for rows in Oracle(bounds, (False, False)).play(script)[:-1] for row in rows]


def test_a_record_at_the_watermark_is_in_time_and_one_behind_it_is_late() -> None:
    run_in_all_modes(
        spec_of((-5, 5)),
        [
            StreamRecord(("a", 1), 10, 0),
            Watermark(12),
            StreamRecord(("a", 2), 12, 1),
            StreamRecord(("a", 3), 11, 1),
            StreamRecord(("a", 4), 11, 0),
        ],
        [StreamRecord((("a", 1), ("a", 2), 10, 12, 12), 12)],
        (key_of, key_of),
        ModeOptions(side_outputs={"right late": [("a", 3)], "left late": [("a", 4)]}),
    )


def test_late_records_that_nobody_asked_for_are_counted() -> None:
    with OperatorHarness(IntervalJoinSpec(0, 5, show), (key_of, key_of)) as harness:
        harness.process_watermark(10)
        harness.process_elements([StreamRecord(("a", 1), 9), StreamRecord(("a", 2), 10)])
        harness.process_element2(("a", 3), 1)
        assert [value for name, value in harness.get_metrics().items() if "numLate" in name] == [2]


def test_unmatched_records_come_before_the_watermark_that_gave_them_up_in_the_order_of_time() -> None:
    with OperatorHarness(spec_of((0, 5), (True, False)), (key_of, key_of)) as harness:
        rows = [StreamRecord(("a", 1), 10), StreamRecord(("b", 2), 8), StreamRecord(("a", 3), 7)]
        harness.process_elements(rows)
        harness.process_element2(("a", 4), 13)
        harness.process_watermark(14)
        harness.process_watermark(20)
        assert harness.get_output() == [
            StreamRecord((("a", 1), ("a", 4), 10, 13, 13), 13),
            StreamRecord((("a", 3), None, 7, MIN_TIMESTAMP, 12), 12),
            StreamRecord((("b", 2), None, 8, MIN_TIMESTAMP, 13), 13),
            Watermark(14),
            Watermark(20),
        ]


def test_state_is_dropped_as_soon_as_no_partner_can_come() -> None:
    stage = Stage(spec_of((-3, 5)))
    stage.give([("a", 1), ("a", 2)], [10, 12], key_of, 0)
    stage.give([("a", 3)], [30], key_of, 1)
    stage.watermark(15)
    assert stage.keyed_state.table(ValueStateDescriptor(STATE_NAME)).pane(None)["a"][:3] == (
        [12],
        [("a", 2)],
        [],
    )
    stage.watermark(17)
    assert stage.keyed_state.table(ValueStateDescriptor(STATE_NAME)).pane(None)["a"][0] == []
    stage.watermark(32)
    assert stage.keyed_state.keys(STATE_NAME) == ["a"]
    stage.watermark(33)
    assert stage.keyed_state.keys(STATE_NAME) == []


class Tally(ProcessJoinFunction):
    """Numbers the pairs of a key in keyed state, and puts the odd ones aside in both ways there are."""

    def open(self, runtime_context: Any) -> None:
        self.count = runtime_context.get_state(ValueStateDescriptor("count", default_value=0))

    def process_element(self, left: Any, right: Any, ctx: ProcessJoinContext) -> Iterator[Any]:
        number = self.count.value() + 1
        self.count.update(number)
        yield left[0], number
        if number % 2:
            yield OutputTag("odd"), number
            ctx.output(OutputTag("odd"), (left[0], number))


def test_a_function_has_state_of_the_key_and_side_outputs() -> None:
    run_in_all_modes(
        IntervalJoinSpec(0, 5, Tally()),
        [
            StreamRecord(("a", 1), 1, 0),
            StreamRecord(("b", 1), 1, 0),
            StreamRecord(("a", 2), 2, 1),
            StreamRecord(("b", 2), 2, 1),
            StreamRecord(("a", 3), 3, 1),
        ],
        [("a", 1), ("b", 1), ("a", 2)],
        (key_of, key_of),
        ModeOptions(side_outputs={"odd": [("a", 1), 1, ("b", 1), 1]}),
    )


@pytest.mark.parametrize("time", [None, MIN_TIMESTAMP])
def test_a_record_without_timestamp_is_refused(time: int | None) -> None:
    with (
        OperatorHarness(spec_of((0, 5)), (key_of, key_of)) as harness,
        pytest.raises(ProgramError, match="a record without a timestamp reached an interval join"),
    ):
        harness.process_element(("a", 1), time)


def test_an_error_of_the_function_shows_the_pair() -> None:
    with OperatorHarness(
        IntervalJoinSpec(0, 5, lambda left, right, ctx: 1 // 0), (key_of, key_of)
    ) as harness:
        harness.process_element1(("a", 1), 1)
        with pytest.raises(UserCodeError, match=r"record was \(\('a', 1\), \('a', 2\)\)"):
            harness.process_element2(("a", 2), 1)


def test_an_error_of_the_function_shows_the_pair_where_the_left_record_came_last() -> None:
    with OperatorHarness(
        IntervalJoinSpec(-5, 0, lambda left, right, ctx: 1 // 0), (key_of, key_of)
    ) as harness:
        harness.process_element2(("a", 2), 1)
        with pytest.raises(UserCodeError, match=r"record was \(\('a', 1\), \('a', 2\)\)"):
            harness.process_element1(("a", 1), 1)
