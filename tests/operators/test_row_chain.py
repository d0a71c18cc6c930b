"""map, filter and flat_map: the generated loops do what the obvious loop does, and errors name step and record."""

from collections.abc import Callable, Iterable
from itertools import chain as joined
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import MapFunction
from penstock.data.batch import RowBatch
from penstock.data.types import Types
from penstock.errors import PenstockError, UserCodeError
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.row_loops import StepKind
from penstock.testing import OperatorHarness, StreamRecord, Watermark, run_in_all_modes

FUNCTIONS: dict[StepKind, list[Callable[[int], Any]]] = {
    "map": [lambda x: x + 1, lambda x: x * 3],
    "filter": [lambda x: x % 2 == 0, lambda x: x > 5],
    "flat_map": [
        lambda x: [x, x + 10],
        lambda x: [] if x % 3 == 0 else [x],
        lambda x: None if x == 7 else (x,),
    ],
}

STEPS = st.lists(
    st.sampled_from([(kind, function) for kind, functions in FUNCTIONS.items() for function in functions]),
    min_size=1,
    max_size=6,
)


def chain(*steps: tuple[StepKind, Any]) -> RowChainSpec:
    return RowChainSpec(
        tuple(RowStep(kind, function, f"step {i}") for i, (kind, function) in enumerate(steps))
    )


def apply_slowly(steps: Iterable[tuple[StepKind, Any]], records: list[StreamRecord]) -> list[StreamRecord]:
    for kind, function in steps:
        after = []
        for record in records:
            if kind == "map":
                after.append(StreamRecord(function(record.value), record.timestamp))
            elif kind == "filter":
                after += [record] if function(record.value) else []
            else:
                after += [StreamRecord(value, record.timestamp) for value in function(record.value) or ()]
        records = after
    return records


RECORDS = st.lists(st.builds(StreamRecord, st.integers(0, 20), st.none() | st.integers(0, 50)), max_size=8)


@given(STEPS, RECORDS)
def test_any_chain_gives_what_the_obvious_loop_gives(
    steps: list[tuple[StepKind, Any]], records: list[StreamRecord]
) -> None:
    run_in_all_modes(
        chain(*steps), [*records, Watermark(100)], [*apply_slowly(steps, records), Watermark(100)]
    )


PAIRING: list[tuple[str, Callable[[int], Any]]] = [
    ("first", lambda x: (x, 1)),
    ("second", lambda x: ("a", x + 1)),
    ("nothing", lambda x: (x, None)),
    ("negative", lambda x: (x, -1)),
    ("no text of bytes as long as it is", lambda x: ("é☃\n'", x * 2)),
    ("nested", lambda x: ((x, "v"), "v")),
]


@pytest.mark.parametrize(("_", "function"), PAIRING)
@given(steps=STEPS, records=RECORDS)
def test_a_last_step_that_puts_a_constant_beside_something_gives_pairs(
    _: str, function: Callable[[int], Any], steps: list[tuple[StepKind, Any]], records: list[StreamRecord]
) -> None:
    pairing: list[tuple[StepKind, Any]] = [*steps, ("map", function)]
    run_in_all_modes(
        chain(*pairing), [*records, Watermark(9)], [*apply_slowly(pairing, records), Watermark(9)]
    )


def test_of_such_pairs_none_is_made_before_somebody_asks_for_it() -> None:
    for steps in (
        [("map", lambda x: (x, 1))],
        [("map", lambda x: (x, -1))],
        [("flat_map", lambda x: [x, x]), ("map", lambda x: (x, 1))],
    ):
        harness = OperatorHarness(chain(*steps))  # type: ignore[arg-type]
        batches: list[Any] = []
        harness.operator.output.emit = batches.append
        harness.operator.on_batch(RowBatch([5, 6]))
        fields = [
            list(joined.from_iterable(lists))
            for lists in zip(*[batch.fields for batch in batches], strict=True)
        ]
        assert fields in ([[5, 6], [1, 1]], [[5, 6], [-1, -1]], [[5, 5, 6, 6], [1, 1, 1, 1]])


def test_an_error_in_front_of_such_a_step_names_the_step_that_failed() -> None:
    harness = OperatorHarness(chain(("map", lambda x: 1 // x), ("map", lambda x: (x - 1, 1))))
    with pytest.raises(UserCodeError, match=r"(?s)ZeroDivisionError.*the record was 0.*step 0"):
        harness.process_elements([1, 0])
    harness = OperatorHarness(
        chain(
            ("map", lambda x: (x / 2, 1)),
        )
    )
    with pytest.raises(UserCodeError, match=r"(?s)TypeError.*the record was 'a'.*step 0"):
        harness.process_elements([1, "a"])


def test_a_chain_may_be_longer_than_python_lets_loops_nest() -> None:
    steps: list[tuple[StepKind, Any]] = [("flat_map", lambda x: [x]), ("map", lambda x: x + 1)] * 30
    run_in_all_modes(chain(*steps), [1, 2], [31, 32])


def test_an_error_names_the_step_the_record_and_the_line_of_the_user() -> None:
    steps = chain(("map", lambda x: x - 3), ("map", lambda x: 1 // x), ("filter", bool))
    harness = OperatorHarness(steps)
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 3") as raised:
        harness.process_elements([1, 2, 3, 4])
    assert "in operator 'step 1'" in str(raised.value)
    assert "test_row_chain.py" in str(raised.value)


@pytest.mark.parametrize("kind", ["map", "filter", "flat_map"])
def test_a_function_that_runs_out_of_an_iterator_fails_the_job_and_loses_no_record_silently(
    kind: StepKind,
) -> None:
    supply = iter([[1], [2]])
    harness = OperatorHarness(chain((kind, lambda _: next(supply))))
    with pytest.raises(UserCodeError, match=r"StopIteration.*the record was 'c'"):
        harness.process_elements(["a", "b", "c"])


def test_a_declared_type_is_checked_behind_its_step() -> None:
    step = RowStep("map", lambda x: x, "typed", output_type=Types.STRING())
    harness = OperatorHarness(RowChainSpec((step, RowStep("map", len, "length"))))
    harness.process_element("abc")
    assert harness.extract_output_values() == [3]
    with pytest.raises(PenstockError, match="typed"):
        OperatorHarness(RowChainSpec((step,))).process_element(object())


class Recorded(MapFunction):
    """Says when it is opened and closed."""

    def __init__(self, calls: list[str], name: str, fails: bool = False) -> None:
        self.calls = calls
        self.name = name
        self.fails = fails

    def open(self, runtime_context: RuntimeContext) -> None:
        if self.fails:
            raise OSError("no such model")
        self.calls.append(f"open {self.name}")

    def map(self, value: Any) -> Any:
        return value

    def close(self) -> None:
        self.calls.append(f"close {self.name}")


def test_functions_are_opened_in_order_and_closed_the_last_first() -> None:
    calls: list[str] = []
    OperatorHarness(chain(("map", Recorded(calls, "a")), ("map", Recorded(calls, "b")))).close()
    assert calls == ["open a", "open b", "close b", "close a"]


def test_a_function_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(UserCodeError, match="no such model") as raised:
        OperatorHarness(chain(("map", len), ("map", Recorded([], "b", fails=True))))
    assert "in operator 'step 1'" in str(raised.value)


def test_a_batch_of_which_nothing_is_left_is_not_emitted() -> None:
    harness = OperatorHarness(chain(("filter", lambda x: False)))
    harness.process_elements([1, 2])
    assert harness.get_output() == []


PICKING: list[Callable[[Any], Any]] = [
    lambda row: (row[0], 1, row[2]),
    lambda row: (row[1],),
    lambda row: (row[2], row[2], -1, "x", None),
    lambda row: (row[-1], row[0]),
    lambda row: (row[0] + 1, row[1]),
    lambda row: row[1],
    lambda row: (1, 2),
]


@pytest.mark.parametrize("function", PICKING)
@given(st.lists(st.tuples(*[st.integers(-5, 5)] * 3), min_size=1, max_size=5), st.booleans())
def test_what_is_picked_from_tuples_that_came_apart_is_what_is_picked_from_whole_ones(
    function: Callable[[Any], Any], rows: list[tuple[int, ...]], timed: bool
) -> None:
    times = list(range(len(rows))) if timed else None
    with OperatorHarness(chain(("map", function))) as harness:
        harness.process_batch(RowBatch.of_fields([list(field) for field in zip(*rows, strict=True)], times))
        assert harness.extract_output_values() == [function(row) for row in rows]
        assert [record.timestamp for record in harness.get_output()] == (times or [None] * len(rows))


def test_an_item_that_tuples_that_came_apart_do_not_have_is_an_error_of_the_first() -> None:
    harness = OperatorHarness(chain(("map", lambda row: (row[0], row[2]))))
    with pytest.raises(UserCodeError, match=r"IndexError.*test_row_chain\.py.*the record was \(1, 3\)"):
        harness.process_batch(RowBatch.of_fields([[1, 2], [3, 4]]))
