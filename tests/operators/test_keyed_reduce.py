"""The running reduce of a keyed stream, in every way in which a job may run it."""

from collections.abc import Hashable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.common import Types
from penstock.contracts.functions import ReduceFunction
from penstock.data.batch import KeyItem, RowBatch
from penstock.errors import KeyNotUsable, TypeMismatch, UserCodeError
from penstock.operators.aggregations import FieldAggregation
from penstock.operators.keyed_reduce import KeyedReduceSpec
from penstock.operators.process_records import unusable_key
from penstock.testing import (
    HarnessSettings,
    KeyedOneInputHarness,
    ModeOptions,
    OperatorHarness,
    StreamRecord,
    Watermark,
    run_in_all_modes,
)


def first(value: tuple[Hashable, Any]) -> Hashable:
    return value[0]


def joined(reduced: tuple[str, str], value: tuple[str, str]) -> tuple[str, str]:
    return reduced[0], reduced[1] + value[1]


PAIRS = st.tuples(st.sampled_from("abcdefg"), st.text("xyz", min_size=1, max_size=2))


@given(st.lists(st.builds(StreamRecord, PAIRS, st.none() | st.integers(0, 99)), max_size=12))
def test_each_record_gives_what_its_key_has_come_to(records: list[StreamRecord]) -> None:
    reduced: dict[str, tuple[str, str]] = {}
    expected = []
    for record in records:
        key = record.value[0]
        reduced[key] = joined(reduced[key], record.value) if key in reduced else record.value
        expected.append(StreamRecord(reduced[key], record.timestamp))
    run_in_all_modes(
        KeyedReduceSpec(joined), [*records, Watermark(5)], expected, [first], ModeOptions(output_key=first)
    )


def test_watermarks_pass() -> None:
    run_in_all_modes(
        KeyedReduceSpec(max),
        [1, Watermark(5), 2, Watermark(7)],
        [1, Watermark(5), 2, Watermark(7)],
        [lambda x: 0],
    )


@given(st.lists(PAIRS, max_size=12))
def test_in_batch_mode_each_key_gives_one_row_at_its_end(values: list[tuple[str, str]]) -> None:
    reduced: dict[str, tuple[str, str]] = {}
    for value in values:
        reduced[value[0]] = joined(reduced[value[0]], value) if value[0] in reduced else value
    with OperatorHarness(KeyedReduceSpec(joined), [first], HarnessSettings(batch_mode=True)) as harness:
        harness.process_bounded_input(map(StreamRecord, values))
        assert harness.extract_output_values() == list(reduced.values())


KEYED_NUMBERS = st.tuples(
    st.sampled_from(["a", "b", "c", 1, True, None]),
    st.one_of(st.integers(-9, 9), st.floats(-9, 9), st.none()),
)


@given(
    st.sampled_from(["sum", "min", "max"]),
    st.lists(st.lists(KEYED_NUMBERS, min_size=1, max_size=6), min_size=1, max_size=5),
    st.booleans(),
)
def test_pairs_that_come_apart_are_reduced_like_whole_ones(
    kind: Any, batches: list[list[Any]], counts: bool
) -> None:
    if counts:
        batches = [[(str(key), value or 1) for key, value in batch] for batch in batches]
    given: list[Any] = []
    for is_apart in (False, True):
        harness = OperatorHarness(KeyedReduceSpec(FieldAggregation(kind, 1)), [first])
        failure = ""
        try:
            for batch in batches:
                fields = [list(field) for field in zip(*batch, strict=True)]
                rows = (
                    RowBatch.of_fields(fields, None, KeyItem(0))
                    if is_apart
                    else RowBatch(batch, None, KeyItem(0))
                )
                harness.operator.on_batch(rows)
        except UserCodeError as error:
            failure = str(error).split("the record was")[1]
        given.append((repr(harness.extract_output_values()), failure))
    assert given[0] == given[1]


class Longer(ReduceFunction):
    def reduce(self, value1: str, value2: str) -> str:
        return max(value1, value2, key=len)


def test_a_reduce_function_is_used_by_its_method() -> None:
    with KeyedOneInputHarness(Longer(), lambda word: word[0]) as harness:
        harness.process_elements(["at", "by", "all", "a"])
        assert harness.extract_output_values() == ["at", "by", "all", "all"]


def test_a_failing_function_is_named_with_its_record() -> None:
    harness = OperatorHarness(KeyedReduceSpec(lambda a, b: a / b), [lambda x: 0])
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        harness.process_elements([4, 2, 0, 1])


def test_a_key_that_cannot_be_hashed_is_named_with_its_record() -> None:
    harness = OperatorHarness(KeyedReduceSpec(max), [lambda x: [x]])
    with pytest.raises(
        KeyNotUsable,
        match=r"the key \[7\] of type list cannot be used: it has no hash.*\n  the record was 7\n",
    ):
        harness.process_element(7)


@pytest.mark.parametrize("function", [lambda a, b: a + b, FieldAggregation("sum", 1)])
@pytest.mark.parametrize("backend", ["hashmap", "rocksdb"])
@pytest.mark.parametrize("is_written", [False, True])
def test_while_a_snapshot_is_written_a_bad_key_is_left_to_the_task_to_explain(
    function: Any, backend: str, is_written: bool
) -> None:
    settings = HarnessSettings(configuration={"state.backend.type": backend})
    harness = OperatorHarness(KeyedReduceSpec(function), [lambda pair: pair[0]], settings)
    harness.process_elements([("a", 1), ("b", 2)])
    assert harness.context.keyed_state is not None
    snapshot = harness.context.keyed_state.snapshot(1)
    if is_written:
        snapshot.release()
    batch = RowBatch([("a", 1), (["c"], 3), ("d", 4)], None, ["a", ["c"], "d"])
    with pytest.raises(TypeError, match="unhashable"):
        harness.operator.on_batch(batch)
    snapshot.release()


@pytest.mark.parametrize(
    ("declared", "values", "function", "expected"),
    [
        (Types.INT(), [1, 2], lambda a, b: "text", "Integer"),
        (Types.INT(), [1, 2], lambda a, b: 2**40, "Integer"),
        (Types.STRING(), ["a", "b"], lambda a, b: 1, "String"),
        (
            Types.TUPLE([Types.STRING(), Types.INT()]),
            [("a", 1), ("b", 2)],
            lambda a, b: (a[0], "two"),
            "Integer",
        ),
    ],
)
@pytest.mark.parametrize("batch_mode", [False, True])
def test_a_result_that_does_not_fit_the_declared_type_is_an_error(
    declared: Any, values: list[Any], function: Any, expected: str, batch_mode: bool
) -> None:
    settings = HarnessSettings(batch_mode=batch_mode)
    harness = OperatorHarness(KeyedReduceSpec(function, declared), [lambda x: 0], settings)
    with pytest.raises(TypeMismatch, match=rf"(?s){expected}.*in operator 'operator under test'"):
        harness.process_bounded_input([StreamRecord(value) for value in values])


def test_a_result_of_a_kind_that_fits_becomes_what_was_declared() -> None:
    declared = Types.TUPLE([Types.STRING(), Types.DOUBLE()])
    harness = OperatorHarness(KeyedReduceSpec(lambda a, b: [a[0], a[1] + b[1]], declared), [lambda x: x[0]])
    harness.process_elements([("a", 1.0), ("a", 2)])
    assert harness.extract_output_values() == [("a", 1.0), ("a", 3.0)]


def test_a_function_that_hashes_a_list_is_not_taken_for_a_bad_key() -> None:
    harness = OperatorHarness(KeyedReduceSpec(lambda a, b: {[a]: b}), [lambda x: 0])
    with pytest.raises(UserCodeError, match=r"unhashable.*the record was 2"):
        harness.process_elements([1, 2])


def test_a_key_whose_hash_fails_now_and_then_is_named_with_what_to_do() -> None:
    with OperatorHarness(KeyedReduceSpec(max), [lambda value: value]) as harness:
        error = unusable_key(RowBatch([1], None, ["sometimes"]), harness.context)
    assert "['sometimes']" in str(error)
    assert "return a tuple" in str(error)
