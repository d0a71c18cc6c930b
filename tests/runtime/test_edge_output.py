"""The way out of a task: nothing is lost, changed or overtaken, whatever is gathered and whenever it is flushed."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, MIN_TIMESTAMP, Element, Watermark
from penstock.data.key_groups import subtask_of_key_group
from penstock.data.keys import KeyRouter, key_group
from penstock.errors import KeyNotUsable, UserCodeError
from penstock.network.in_process import InProcessChannel
from penstock.network.partitioners import (
    BroadcastPartitioner,
    CustomPartitioner,
    ForwardPartitioner,
    HashPartitioner,
    Partitioner,
    RebalancePartitioner,
)
from penstock.operators.contract import OperatorContext
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.edge_output import GATHER_RECORDS, EdgeOutput
from penstock.runtime.task.keying import KeyExtractor, route_of
from penstock.runtime.task.scatter import Scatter
from penstock.testing import OperatorHarness


def context() -> OperatorContext:
    return replace(OperatorHarness(RowChainSpec((RowStep("map", str, "upstream"),))).context, name="upstream")


def keyed_edge(channels: int, key: Any) -> EdgeOutput:
    """A keyed edge as tasks make it, which deals records out where their key is one item of them."""
    keys = KeyExtractor(context(), key)
    scatter = Scatter.by_item(keys.expression, KeyRouter(128, channels), channels)
    assert scatter is not None
    partitioner = HashPartitioner(route_of(context(), 128, channels), channels)
    return EdgeOutput(
        context(), [InProcessChannel(4) for _ in range(channels)], partitioner, keys, 100, scatter
    )


def edge(partitioner: Partitioner, channels: int, key: Any = None, timeout_ms: int = 100) -> EdgeOutput:
    keys = None if key is None else KeyExtractor(context(), key)
    return EdgeOutput(
        context(), [InProcessChannel(4) for _ in range(channels)], partitioner, keys, timeout_ms
    )


def drained(output: EdgeOutput) -> list[list[Element]]:
    found: list[list[Element]] = []
    for channel in output.channels:
        assert isinstance(channel, InProcessChannel)
        found.append([])
        while (element := channel.poll()) is not None:
            found[-1].append(element)
    return found


def values(elements: list[Element]) -> list[Any]:
    return [value for element in elements if isinstance(element, RowBatch) for value in element.values]


def test_a_single_channel_gets_every_batch_as_it_is() -> None:
    output = edge(ForwardPartitioner(), 1)
    batch = RowBatch([1, 2], [3, 4])
    output.emit(batch)
    assert drained(output) == [[batch]]
    assert not output.has_pending


def test_small_parts_are_gathered_until_they_are_flushed() -> None:
    output = edge(RebalancePartitioner(2, 0), 2)
    output.emit(RowBatch([1, 2]))
    output.emit(RowBatch([3, 4]))
    assert output.has_pending
    assert drained(output) == [[], []]
    output.flush()
    assert [len(elements) for elements in drained(output)] == [1, 1]
    assert not output.has_pending


def test_a_part_that_is_large_enough_is_sent_at_once() -> None:
    output = edge(RebalancePartitioner(2, 0), 2)
    output.emit(RowBatch(list(range(2 * GATHER_RECORDS))))
    assert [len(values(elements)) for elements in drained(output)] == [GATHER_RECORDS, GATHER_RECORDS]


def test_without_a_buffer_timeout_nothing_is_gathered() -> None:
    output = edge(RebalancePartitioner(2, 0), 2, timeout_ms=0)
    output.emit(RowBatch([1, 2]))
    assert [len(elements) for elements in drained(output)] == [1, 1]


def test_signals_go_to_every_channel_behind_everything_before() -> None:
    output = edge(RebalancePartitioner(2, 0), 2)
    output.emit(RowBatch([1, 2]))
    output.watermark(7)
    output.signal(END_OF_INPUT)
    for elements in drained(output):
        assert [type(element) for element in elements] == [RowBatch, Watermark, type(END_OF_INPUT)]


def test_records_without_timestamp_do_not_take_away_those_of_others_in_the_same_batch() -> None:
    output = edge(BroadcastPartitioner(2), 2)
    output.emit(RowBatch(["a"], [10]))
    output.emit(RowBatch(["b"]))
    output.flush()
    assert drained(output) == [[RowBatch(["a", "b"], [10, MIN_TIMESTAMP])]] * 2


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=5)), st.integers(1, 4))
def test_equal_keys_meet_and_keep_their_order(batches: list[list[int]], channels: int) -> None:
    route = route_of(context(), 128, channels)
    output = edge(HashPartitioner(route, channels), channels, key=lambda value: value % 7)
    for batch in batches:
        output.emit(RowBatch(batch))
    output.flush()
    everything = [value for batch in batches for value in batch]
    for index, elements in enumerate(drained(output)):
        mine = [v for v in everything if subtask_of_key_group(128, channels, key_group(v % 7, 128)) == index]
        assert values(elements) == mine
        for element in elements:
            assert isinstance(element, RowBatch)
            assert element.keys == [value % 7 for value in element.values]


KEYS = st.sampled_from(["a", "b", "c", "d", 1, True, 1.0, 2, (3, "x"), None])


@given(
    st.lists(st.tuples(st.lists(st.tuples(KEYS, st.integers(0, 9)), min_size=1, max_size=5), st.booleans())),
    st.integers(2, 4),
)
def test_records_that_are_dealt_out_by_an_item_go_where_their_keys_say_in_their_order(
    batches: list[tuple[list[Any], bool]], channels: int
) -> None:
    output = keyed_edge(channels, lambda pair: pair[0])
    stamped: list[tuple[Any, int]] = []
    for batch, has_times in batches:
        output.emit(RowBatch(batch, [5] * len(batch) if has_times else None))
        stamped += [(value, 5 if has_times else MIN_TIMESTAMP) for value in batch]
    output.flush()
    assert not output.has_pending
    for index, elements in enumerate(drained(output)):
        found = []
        for element in elements:
            assert isinstance(element, RowBatch) and element.keys is not None
            assert all(key is value[0] for key, value in zip(element.keys, element.values, strict=True))
            found += zip(element.values, element.timestamps or [MIN_TIMESTAMP] * len(element), strict=True)
        mine = [r for r in stamped if subtask_of_key_group(128, channels, key_group(r[0][0], 128)) == index]
        assert [(type(v[0]), v, time) for v, time in found] == [(type(v[0]), v, time) for v, time in mine]


def test_parts_that_are_dealt_out_are_sent_when_they_are_large_enough() -> None:
    output = keyed_edge(2, lambda pair: pair[0])
    output.emit(RowBatch([("a", n) for n in range(GATHER_RECORDS - 1)]))
    assert drained(output) == [[], []]
    output.emit(RowBatch([("a", -1), ("c", 0)]))
    assert [len(values(elements)) for elements in drained(output)] == [GATHER_RECORDS, 0]
    output.watermark(7)
    assert [[type(element) for element in elements] for elements in drained(output)] == [
        [Watermark],
        [RowBatch, Watermark],
    ]


@pytest.mark.parametrize(
    ("record", "error", "text"),
    [
        ((), UserCodeError, r"IndexError.*the record was \(\)"),
        (([1], 2), KeyNotUsable, r"the key \[1\] of type list.*\n.*the record was \(\[1\], 2\)"),
        ((float("nan"), 2), KeyNotUsable, r"the key nan.*the record was \(nan, 2\)"),
    ],
)
def test_a_record_that_cannot_be_dealt_out_is_named_and_those_before_it_are_kept(
    record: Any, error: type[Exception], text: str
) -> None:
    output = keyed_edge(2, lambda pair: pair[0])
    with pytest.raises(error, match=text):
        output.emit(RowBatch([("a", 1), ("c", 2), record, ("a", 3)]))
    output.flush()
    assert [values(elements) for elements in drained(output)] == [[("a", 1)], [("c", 2)]]


class Named(NamedTuple):
    """Equal to a pair, but none."""

    key: Any
    value: int


def test_what_is_dealt_out_apart_arrives_apart() -> None:
    output = keyed_edge(2, lambda pair: pair[0])
    output.emit(RowBatch([("a", 1), ("c", 2)]))
    output.emit(RowBatch.of_fields([["a", "c"], [3, 4]]))
    output.flush()
    assert [[element.fields for element in elements] for elements in drained(output)] == [  # type: ignore[union-attr]
        [[["a", "a"], [1, 3]]],
        [[["c", "c"], [2, 4]]],
    ]


RECORDS = st.builds(
    lambda make, key, value: make(key, value),
    st.sampled_from([lambda k, v: (k, v), Named, lambda k, v: [k, v], lambda k, v: (k, v, v)]),
    KEYS,
    st.integers(0, 9),
)


@given(st.lists(st.lists(RECORDS, min_size=1, max_size=6)), st.integers(2, 4))
def test_records_of_other_kinds_among_pairs_stay_what_they_are(
    batches: list[list[Any]], channels: int
) -> None:
    output = keyed_edge(channels, lambda pair: pair[0])
    for batch in batches:
        output.emit(RowBatch(batch))
    output.flush()
    everything = [value for batch in batches for value in batch]
    for index, elements in enumerate(drained(output)):
        mine = [v for v in everything if subtask_of_key_group(128, channels, key_group(v[0], 128)) == index]
        found = values(elements)
        assert [(type(v), type(v[0]), v) for v in found] == [(type(v), type(v[0]), v) for v in mine]
        keys = [key for element in elements if isinstance(element, RowBatch) for key in element.keys or ()]
        assert keys == [value[0] for value in mine]


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("empty", [RowBatch([]), RowBatch.of_fields([[], []])])
def test_a_batch_without_records_is_no_record_that_fails(channels: int, empty: RowBatch) -> None:
    output = keyed_edge(channels, lambda pair: pair[0])
    output.emit(empty)
    output.emit(RowBatch([("a", 1)]))
    output.emit(empty)
    output.flush()
    assert [value for elements in drained(output) for value in values(elements)] == [("a", 1)]


def test_pairs_come_as_whole_records_once_there_were_others() -> None:
    output = keyed_edge(2, lambda pair: pair[0])
    output.emit(RowBatch([("a", 1), ["a", 2], ("a", 3), ("c", 4)]))
    output.emit(RowBatch.of_fields([["a", "c"], [5, 6]]))
    output.flush()
    assert [values(elements) for elements in drained(output)] == [
        [("a", 1), ["a", 2], ("a", 3), ("a", 5)],
        [("c", 4), ("c", 6)],
    ]


@pytest.mark.parametrize("key", [lambda row: row[-1], lambda row: row["k"], lambda row: row[5]])
def test_records_without_a_key_at_a_position_of_a_short_tuple_are_dealt_out_whole(key: Any) -> None:
    output = keyed_edge(2, key)
    row = {"k": "a", -1: "a", 5: "a"}
    output.emit(RowBatch([row, row]))
    output.flush()
    assert [values(elements) for elements in drained(output)] == [[row, row], []]


def test_the_output_has_room_while_every_channel_has() -> None:
    output = edge(BroadcastPartitioner(2), 2, timeout_ms=0)
    for number in range(4):
        assert output.available
        output.emit(RowBatch([number]))
    assert not output.available
    assert isinstance(output.channels[0], InProcessChannel)
    output.channels[0].poll()
    assert not output.available


def test_a_failing_key_selector_is_named_with_its_record() -> None:
    output = edge(HashPartitioner(route_of(context(), 128, 2), 2), 2, key=lambda value: 1 // value)
    with pytest.raises(UserCodeError, match=r"ZeroDivisionError.*the record was 0"):
        output.emit(RowBatch([2, 0]))


def test_a_key_selector_that_runs_out_of_an_iterator_loses_no_record_silently() -> None:
    supply = iter([1])
    output = edge(HashPartitioner(route_of(context(), 128, 2), 2), 2, key=lambda _: next(supply))
    with pytest.raises(UserCodeError, match=r"StopIteration.*the record was 'b'"):
        output.emit(RowBatch(["a", "b"]))


def test_a_key_that_cannot_be_hashed_is_named_with_its_record() -> None:
    output = edge(HashPartitioner(route_of(context(), 128, 2), 2), 2, key=lambda value: [value])
    with pytest.raises(KeyNotUsable, match="the record was 'b'"):
        output.emit(RowBatch(["b"]))


def test_a_partitioner_of_the_user_that_fails_is_named() -> None:
    output = edge(CustomPartitioner(lambda key, n: 1 // 0, 2, lambda value: value), 2)
    with pytest.raises(UserCodeError, match="ZeroDivisionError"):
        output.emit(RowBatch([1]))


def test_a_key_that_a_later_record_lacks_is_explained_when_somebody_asks_for_the_keys() -> None:
    keys = KeyExtractor(context(), lambda pair: pair[1])
    keys.keyed(RowBatch([("a", 1)]))  # looked at
    later = keys.keyed(RowBatch([("a", 1), ("b",)]))
    with pytest.raises(
        UserCodeError, match=r"IndexError: .*test_edge_output\.py:\d+; the record was \('b',\)"
    ) as failed:
        _ = later.keys
    assert "when the key of key_by was computed" in str(failed.value)


def test_a_nan_behind_other_floats_is_refused_although_keys_are_pointed_at() -> None:
    keys = KeyExtractor(context(), lambda pair: pair[0])
    keys.keyed(RowBatch([(1.0, "a")]))
    with pytest.raises(KeyNotUsable, match="not equal to itself"):
        keys.keyed(RowBatch([(2.0, "b"), (float("nan"), "c")]))
