"""sum, min, max, min_by and max_by, over every kind of record that has fields."""

from collections import namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.row import Row, RowKind
from penstock.errors import ProgramError, UserCodeError
from penstock.operators.aggregations import AggregationKind, FieldAggregation, reducer_of
from penstock.testing import ModeOptions, OperatorHarness, harness_of, operator_of, run_in_all_modes

Order = namedtuple("Order", "word count")

KINDS: list[AggregationKind] = ["sum", "min", "max", "min_by", "max_by"]


def slow(
    kind: AggregationKind, field: int, reduced: tuple[Any, ...], value: tuple[Any, ...]
) -> tuple[Any, ...]:
    if kind == "min_by":
        return value if value[field] < reduced[field] else reduced
    if kind == "max_by":
        return value if value[field] > reduced[field] else reduced
    changed = list(reduced)
    changed[field] = {"sum": lambda a, b: a + b, "min": min, "max": max}[kind](reduced[field], value[field])
    return tuple(changed)


VALUES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-9, 9), st.text("xy", max_size=2)), max_size=10
)


@given(st.sampled_from(KINDS), VALUES)
def test_tuples_are_aggregated_as_the_obvious_loop_does(kind: AggregationKind, values: list[Any]) -> None:
    reduced: dict[str, Any] = {}
    expected = []
    for value in values:
        key = value[0]
        reduced[key] = slow(kind, 1, reduced[key], value) if key in reduced else value
        expected.append(reduced[key])
    spec, keys = operator_of(lambda stream: getattr(stream.key_by(0), kind)(1))
    run_in_all_modes(spec, values, expected, keys, ModeOptions(output_key=lambda row: row[0]))


# Pairs of key and value are kept in another way; among them are keys that are equal and not the same, and other shapes.
KEYS = st.sampled_from(["a", "b", 1, True, 1.0, 2, b"a", (1, 2)])
AMONG_PAIRS = st.lists(
    st.tuples(KEYS, st.integers(-3, 3) | st.just(0.5))
    | st.tuples(KEYS, st.integers(-3, 3), st.just("more"))
    | st.tuples(KEYS, st.integers(-3, 3)).map(list)
    | st.tuples(st.sampled_from(["a", "b"]), st.integers(-3, 3)).map(lambda pair: Order(*pair)),
    max_size=8,
)


@given(st.sampled_from(KINDS), AMONG_PAIRS)
def test_among_pairs_every_record_is_reduced_as_by_a_call_for_each(
    kind: AggregationKind, values: list[Any]
) -> None:
    reduced: dict[Any, Any] = {}
    expected = []
    for value in values:
        key = value[0]
        reduced[key] = reducer_of(kind, 1)(reduced[key], value) if key in reduced else value
        expected.append(reduced[key])
    harness = harness_of(lambda stream: getattr(stream.key_by(0), kind)(1))
    with harness:
        half = len(values) // 2
        harness.process_elements(values[:half])
        harness.snapshot()
        harness.process_elements(values[half:])
        out = harness.extract_output_values()
    # As text, for 1 and True and 1.0 are equal.
    assert [(type(row), repr(row)) for row in out] == [(type(row), repr(row)) for row in expected]


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from("abc"), st.integers(-9, 9)), max_size=10))
def test_pairs_are_aggregated_in_every_way_in_which_a_job_may_run(
    kind: AggregationKind, values: list[Any]
) -> None:
    reduced: dict[str, Any] = {}
    expected = []
    for value in values:
        reduced[value[0]] = slow(kind, 1, reduced[value[0]], value) if value[0] in reduced else value
        expected.append(reduced[value[0]])
    spec, keys = operator_of(lambda stream: getattr(stream.key_by(0), kind)(1))
    run_in_all_modes(spec, values, expected, keys, ModeOptions(output_key=lambda row: row[0]))


def test_state_of_pairs_and_of_calls_is_the_same_in_a_snapshot() -> None:
    pairs = harness_of(lambda stream: stream.key_by(0).sum(1))
    calls = harness_of(lambda stream: stream.key_by(0).reduce(lambda one, two: (one[0], one[1] + two[1])))
    for harness in (pairs, calls):
        harness.process_elements([("a", 1), ("b", 2), ("a", 3)])
    assert saved(pairs) == saved(calls) == {"a": ("a", 4), "b": ("b", 2)}


def saved(harness: OperatorHarness) -> dict[Any, Any]:
    keyed = harness.snapshot().keyed
    assert keyed is not None
    return {
        key: value
        for state in keyed.states.values()
        for chunk in state.chunks()
        for key, value in zip(chunk.keys, chunk.values, strict=True)
    }


def test_a_value_that_cannot_be_added_is_named_and_the_sums_before_it_stand() -> None:
    harness = harness_of(lambda stream: stream.key_by(0).sum(1))
    with pytest.raises(UserCodeError, match=r"TypeError.*the record was \('a', 'x'\)"):
        harness.process_elements([("a", 1), ("b", 2), ("a", 3), ("a", "x"), ("a", 4)])


@given(st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 4))
def test_the_function_made_for_a_width_is_right_for_every_width(
    kind: AggregationKind, field: int, width: int
) -> None:
    reduce = reducer_of(kind, field, width)
    for fields in (3, 4, 5):
        small, large = tuple(range(fields)), tuple(range(7, 7 + fields))
        assert reduce(small, large) == slow(kind, field, small, large)
        assert reduce(large, small) == slow(kind, field, large, small)


@pytest.mark.parametrize("field", [1, "count"])
def test_a_named_tuple_stays_one(field: int | str) -> None:
    total = reducer_of("sum", field)(Order("a", 1), Order("b", 2))
    assert (type(total), total) == (Order, Order("a", 3))
    assert reducer_of("max_by", field)(Order("a", 1), Order("b", 2)) == Order("b", 2)


def test_rows_lists_dictionaries_and_numbers_are_summed() -> None:
    row = reducer_of("sum", "n")(Row(w="a", n=1), Row(w="b", n=2))
    assert row == Row(w="a", n=3)
    retracting = Row("a", 1)
    retracting.set_row_kind(RowKind.DELETE)
    assert reducer_of("sum", 1)(retracting, Row("b", 2)).get_row_kind() is RowKind.DELETE
    assert reducer_of("sum", 1)(["a", 1], ["b", 2]) == ["a", 3]
    assert reducer_of("sum", "n")({"n": 1, "w": "a"}, {"n": 2, "w": "b"}) == {"n": 3, "w": "a"}
    assert reducer_of("sum", 0)(3, 4) == 7


def test_the_records_that_were_given_stay_as_they_are() -> None:
    first, second = ["a", 1], ["b", 2]
    reducer_of("sum", 1)(first, second)
    row = Row("a", 1)
    reducer_of("sum", 1)(row, Row("a", 2))
    assert (first, second, row) == (["a", 1], ["b", 2], Row("a", 1))


def test_a_negative_position_is_refused() -> None:
    with pytest.raises(ProgramError, match="from 0 on, not -1"):
        FieldAggregation("sum", -1)


def test_the_first_of_equal_records_is_kept_by_min_by_and_max_by() -> None:
    for kind in ("min_by", "max_by"):
        harness = harness_of(lambda stream, kind=kind: getattr(stream.key_by(lambda _: 0), kind)(0))
        harness.process_elements([(1, "first"), (1, "second")])
        assert harness.extract_output_values() == [(1, "first"), (1, "first")]


def test_numbers_alone_can_be_compared_by_their_only_field() -> None:
    for kind, expected in (
        ("min_by", [3, 1, 1]),
        ("max_by", [3, 3, 5]),
        ("min", [3, 1, 1]),
        ("max", [3, 3, 5]),
    ):
        harness = harness_of(lambda stream, kind=kind: getattr(stream.key_by(lambda _: 0), kind)(0))
        harness.process_elements([3, 1, 5])
        assert harness.extract_output_values() == expected
