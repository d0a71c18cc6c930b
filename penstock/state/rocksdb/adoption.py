"""A database that begins with the files of an incremental checkpoint, rather than with their entries put in one by one.

The files of the old subtask of which most is wanted are opened as they are, and what of other key groups is in them is
deleted: of states as ranges, of timers one by one, as they are in the order of their times. The entries of further old
subtasks are copied as the bytes that they are.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from penstock.contracts.state import NativeSource, StateKind
from penstock.data.key_groups import common_range
from penstock.data.saved_pickles import SavedPickles
from penstock.errors import StateError
from penstock.state.rocksdb.database import Cursor, Database, Entry
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH
from penstock.state.rocksdb.native import STATES, LocalCopy, StoredState, states_in
from penstock.state.rocksdb.timer_bytes import group_of, prefix_of


def states_of(sources: Sequence[NativeSource]) -> list[StoredState]:
    """The states in all of the files, those of the first in the order of their numbers there.

    :raises StateError: when the files are of a newer version, or their states of one name do not fit together.
    """
    found: dict[tuple[str, bool], StoredState] = {}
    for source in sources:
        for state in states_in(source.reads[STATES]()):
            known = found.get(_identity(state))
            if known is None:
                found[_identity(state)] = state
                continue
            if known.meta.kind is not state.meta.kind or known.meta.ttl != state.meta.ttl:
                raise StateError(
                    f"the parts of state {state.meta.name!r} do not fit together: {known.meta} and {state.meta}"
                )
            next_number = (
                None
                if known.next_number is None or state.next_number is None
                else max(known.next_number, state.next_number)
            )
            classes = [*known.classes, *(each for each in state.classes if each not in known.classes)]
            found[_identity(state)] = StoredState(known.meta, next_number, classes)
    return list(found.values())


def by_share(sources: Sequence[NativeSource], key_groups: range) -> list[NativeSource]:
    """The sources that have any of the key groups, the one with most of them first."""
    wanted = [source for source in sources if common_range(source.key_groups, key_groups)]
    return sorted(wanted, key=lambda source: -len(common_range(source.key_groups, key_groups)))


def adopt(database: Database, source: NativeSource, key_groups: range, states: Sequence[StoredState]) -> None:
    """Have the files of one old subtask as the database; ``states`` are those in it, and perhaps others behind them."""
    database.begin_with({name: read for name, read in source.reads.items() if name != STATES})
    had = source.key_groups
    if had.start < key_groups.start:
        database.delete_groups(range(had.start, key_groups.start))
    if key_groups.stop < had.stop:
        database.delete_groups(range(key_groups.stop, had.stop))
    if common_range(had, key_groups) != had:
        for number in _timers_among(states):
            _delete_timers(database, number, key_groups)


def _timers_among(states: Sequence[StoredState]) -> list[int]:
    return [number for number, state in enumerate(states) if state.meta.kind is StateKind.TIMERS]


def _delete_timers(database: Database, number: int, kept: range) -> None:
    others = (place for place in database.frozen().keys(prefix_of(number)) if group_of(place) not in kept)
    while batch := list(islice(others, ENTRIES_PER_BATCH)):
        database.write([], [], batch)


def copy_entries(
    database: Database,
    source: NativeSource,
    key_groups: range,
    states: Sequence[StoredState],
    parent: str,
) -> None:
    """Copy the entries of key groups; ``states`` are those here, by their numbers, ``parent`` is for working files."""
    cursor = LocalCopy(parent, source.reads).cursor()
    wanted = common_range(source.key_groups, key_groups)
    numbers = {_identity(state): number for number, state in enumerate(states)}
    for old, state in enumerate(states_in(source.reads[STATES]())):
        number = numbers[_identity(state)].to_bytes(2, "big")
        if state.meta.kind is StateKind.TIMERS:
            entries = _timers_within(cursor, old, wanted)
        else:
            entries = _entries_within(cursor, old, wanted)
        while batch := list(islice(entries, ENTRIES_PER_BATCH)):
            database.write_entries([(place[:2] + number + place[4:], data) for place, data in batch])


def _entries_within(cursor: Cursor, number: int, key_groups: range) -> Iterator[Entry]:
    for group in key_groups:
        yield from cursor.entries(group.to_bytes(2, "big") + number.to_bytes(2, "big"))


def _timers_within(cursor: Cursor, number: int, key_groups: range) -> Iterator[Entry]:
    return (entry for entry in cursor.entries(prefix_of(number)) if group_of(entry[0]) in key_groups)


def _identity(state: StoredState) -> tuple[str, bool]:
    """Timers and states have names of their own."""
    return state.meta.name, state.meta.kind is StateKind.TIMERS


def may_adopt(states: Sequence[StoredState], has_timers_on_heap: bool = False) -> bool:
    """Whether the values can stay as they are, and all is known that going on with the states takes.

    Not so in files of before it was written down; nor where a class has other fields now, as a pickle says of some classes
    only which value is the first, the second, ...; nor where timers are in the files that are to be on the heap.
    """
    if has_timers_on_heap and _timers_among(states):
        return False
    return all(
        (state.next_number is not None or state.meta.kind is not StateKind.MAP)
        and not SavedPickles(state.classes).have_changed
        for state in states
    )
