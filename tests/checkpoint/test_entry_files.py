"""Entries of states that went through files are what they were, for any range of key groups."""

from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.checkpoint import entry_files
from penstock.checkpoint.entry_files import FileEntries, decode_entries, encode_entries
from penstock.contracts.state import EntryChunk, StateKind, StateMeta, StoredEntries
from penstock.data.keys import key_group
from penstock.errors import StateError
from penstock.windows.window import TimeWindow

GROUPS = 128
STORED = {
    StateKind.VALUE: st.integers(0, 5) | st.text(max_size=2),
    StateKind.REDUCING: st.tuples(st.text(max_size=2), st.integers(0, 5)),
    StateKind.LIST: st.lists(st.integers(0, 5), min_size=1, max_size=3),
    StateKind.MAP: st.dictionaries(st.integers(0, 3), st.none() | st.integers(), min_size=1, max_size=3),
}
namespaces = st.none() | st.builds(TimeWindow, st.integers(0, 3), st.integers(10, 12))


def with_times(kind: StateKind, stored: Any, at: int) -> Any:
    match kind:
        case StateKind.LIST:
            return [(element, at + index) for index, element in enumerate(stored)]
        case StateKind.MAP:
            return {key: (value, at) for key, value in stored.items()}
    return (stored, at)


@st.composite
def states(draw: st.DrawFn) -> StoredEntries:
    kind, ttl = draw(st.sampled_from(list(STORED))), draw(st.booleans())
    chunks = []
    for _ in range(draw(st.integers(0, 3))):
        keys = draw(st.lists(st.integers(0, 50) | st.text(max_size=1), min_size=1, max_size=9))
        values = [draw(STORED[kind]) for _ in keys]
        if ttl:
            values = [with_times(kind, value, draw(st.integers(0, 9))) for value in values]
        own = draw(st.none() | st.lists(namespaces, min_size=len(keys), max_size=len(keys)))
        chunks.append(EntryChunk([key_group(key, GROUPS) for key in keys], keys, values, own))
    return StoredEntries(StateMeta("s", kind, "some type", ttl), chunks)


def iter_of_nothing() -> Iterator[int]:
    yield from ()


def rows(entries: Any, key_groups: range | None = None) -> list[str]:
    found: list[str] = []
    for chunk in entries.chunks(key_groups):
        of = chunk.namespaces or [None] * len(chunk)
        found += map(repr, zip(chunk.key_groups, chunk.keys, of, chunk.values, strict=True))
    return sorted(found)


def through_files(entries: StoredEntries) -> FileEntries:
    files = [file.content for file in encode_entries(entries)]
    for content in files:
        assert entry_files.read_meta(content, "s") == entries.meta
    return FileEntries(entries.meta, [lambda content=content: content for content in files])  # type: ignore[misc]


@settings(deadline=None)
@given(states(), st.integers(0, GROUPS), st.integers(0, GROUPS))
def test_entries_come_back_for_any_range_of_key_groups(entries: StoredEntries, one: int, two: int) -> None:
    read = through_files(entries)
    assert rows(read) == rows(entries)
    own = range(min(one, two), max(one, two))
    assert rows(read, own) == rows(entries, own)


def test_timers_have_a_column_for_their_domain_and_one_for_their_time() -> None:
    chunk = EntryChunk([1, 0], ["a", "b"], [("event", 5), ("processing", 6)], [TimeWindow(0, 6), None])
    entries = StoredEntries(StateMeta("timers", StateKind.TIMERS), [chunk])
    (file,) = encode_entries(entries)
    assert [name for name, _ in file.columns] == ["key_group", "key", "namespace", "domain", "time"]
    assert rows(through_files(entries)) == rows(entries)


def test_a_large_state_is_sorted_by_key_group_so_that_a_part_of_it_is_read_alone(monkeypatch: Any) -> None:
    monkeypatch.setattr(entry_files, "_ROWS_PER_GROUP", 100)
    keys = list(range(1000))
    chunks = [
        EntryChunk([key_group(key, GROUPS) for key in part], part, part) for part in (keys[:500], keys[500:])
    ]
    entries = StoredEntries(StateMeta("s", StateKind.VALUE), chunks)
    (file,) = encode_entries(entries)
    read = pq.ParquetFile(BytesIO(file.content))
    groups = [read.metadata.row_group(index).column(0).statistics for index in range(read.num_row_groups)]
    assert len(groups) == 10
    assert all(one.max <= two.min for one, two in pairwise(groups))
    skipped = [
        index for index in range(10) if not entry_files._may_have(read.metadata.row_group(index), range(3))
    ]
    assert len(skipped) >= 8
    assert rows(through_files(entries), range(3)) == rows(entries, range(3))


def test_values_that_change_their_type_on_the_way_go_into_another_file() -> None:
    chunks = [EntryChunk([0], [key], [value]) for key, value in enumerate([1, 2, "a", "b", 3])]
    entries = StoredEntries(StateMeta("s", StateKind.VALUE), chunks)
    assert [file.rows for file in encode_entries(entries)] == [2, 2, 1]
    assert rows(through_files(entries)) == rows(entries)


def test_an_empty_state_has_no_file() -> None:
    assert list(encode_entries(StoredEntries(StateMeta("s", StateKind.VALUE)))) == []


def test_a_value_that_cannot_be_saved_is_named_with_its_state_and_key() -> None:
    chunk = EntryChunk([0, 0], ["fine", "broken"], [1, iter_of_nothing()])
    with pytest.raises(
        StateError, match=r"state 's' cannot be saved: under key 'broken' it holds a generator"
    ):
        list(encode_entries(StoredEntries(StateMeta("s", StateKind.VALUE), [chunk])))


def test_a_file_of_a_newer_version_and_one_of_somebody_else_are_refused(monkeypatch: Any) -> None:
    chunk = EntryChunk([0], ["a"], [1])
    monkeypatch.setattr(entry_files, "ENTRIES_VERSION", 99)
    (file,) = encode_entries(StoredEntries(StateMeta("s", StateKind.VALUE), [chunk]))
    monkeypatch.undo()
    with pytest.raises(
        StateError, match=r"state 's' has format version 99, and this version of penstock reads up to 1"
    ):
        list(decode_entries(file.content, None, "s"))
    other = BytesIO()
    pq.write_table(pq.read_table(BytesIO(file.content)).replace_schema_metadata({}), other)
    with pytest.raises(StateError, match="not written by penstock"):
        list(decode_entries(other.getvalue(), None, "s"))
    with pytest.raises(StateError, match="cannot be read"):
        list(decode_entries(file.content[:-10], None, "s"))
