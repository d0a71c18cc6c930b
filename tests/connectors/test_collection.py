"""Collections and sequences: every value once, in order, whatever is restored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.collection.source import CollectionSource, NumberSequenceSource
from penstock.contracts.pace import BATCH_RECORDS
from penstock.errors import ProgramError
from tests.connectors.driving import read_all, read_with_restore, running


def test_a_collection_is_emitted_in_order_with_its_timestamps() -> None:
    with running(CollectionSource(["a", None, [3]], [10, 5, 20])) as run:
        assert run.run() == ["a", None, [3]]
        assert run.outputs[0].timestamps == [10, 5, 20]


def test_an_empty_collection_ends_at_once_at_any_parallelism() -> None:
    assert read_all(CollectionSource([])) == []
    assert read_all(CollectionSource([]), parallelism=3) == []


def test_changing_the_list_afterwards_does_not_change_the_source() -> None:
    values = [1, 2]
    source = CollectionSource(values)
    values.append(3)
    assert read_all(source) == [1, 2]


def test_batches_are_full_and_the_last_one_holds_the_rest() -> None:
    with running(CollectionSource(list(range(BATCH_RECORDS * 2 + 1)))) as run:
        run.run()
        assert run.outputs[0].batches == [BATCH_RECORDS, BATCH_RECORDS, 1]


def test_a_sequence_has_both_ends() -> None:
    assert read_all(NumberSequenceSource(3, 7)) == [3, 4, 5, 6, 7]
    assert read_all(NumberSequenceSource(-1, -1), parallelism=4) == [-1]


def test_parallel_readers_share_a_sequence_evenly() -> None:
    with running(NumberSequenceSource(1, 9), parallelism=2) as run:
        assert sorted(run.run()) == list(range(1, 10))
        assert [len(output.records) for output in run.outputs] == [4, 5]


@given(st.data(), st.integers(0, 40), st.integers(1, 4), st.integers(1, 4))
def test_every_value_comes_once_after_a_restore(
    data: st.DataObject, count: int, parallelism: int, later: int
) -> None:
    polls = data.draw(st.lists(st.integers(0, parallelism - 1), max_size=20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("penstock.connectors.collection.source.BATCH_RECORDS", 3)
        collection = CollectionSource(list(range(count)), list(range(count)))
        assert sorted(read_with_restore(collection, polls, parallelism, later)) == list(range(count))
        sequence = NumberSequenceSource(0, count)
        assert sorted(read_with_restore(sequence, polls, parallelism, later)) == list(range(count + 1))


def test_a_shorter_collection_is_refused_by_a_restore() -> None:
    with running(CollectionSource([1, 2, 3])) as run:
        checkpoint = run.snapshot()
    with (
        running(CollectionSource([1]), 1, checkpoint) as run,
        pytest.raises(ProgramError, match="has 1 values now"),
    ):
        run.run()


@pytest.mark.parametrize("values", ["text", {"a": 1}, {1, 2}, iter([1]), None, 5])
def test_only_lists_are_collections(values: object) -> None:
    with pytest.raises(ProgramError, match="must be a list"):
        CollectionSource(values)  # type: ignore[arg-type]


def test_each_value_needs_its_timestamp() -> None:
    with pytest.raises(ProgramError, match="2 values came with 1 timestamps"):
        CollectionSource([1, 2], [5])


@pytest.mark.parametrize(("first", "last"), [(2, 1), (0.5, 3), (1, None), (True, 3)])
def test_a_sequence_of_other_things_than_growing_integers_is_refused(first: object, last: object) -> None:
    with pytest.raises(ProgramError, match=r"must be an integer|runs upwards"):
        NumberSequenceSource(first, last)  # type: ignore[arg-type]
