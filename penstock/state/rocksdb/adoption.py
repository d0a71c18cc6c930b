"""A database that begins with the files of an incremental checkpoint, rather than with their entries put in one by one.

The files of the old subtask of which most is wanted are opened as they are, and what of other key groups is in them is
deleted as ranges. The entries of further old subtasks are copied as the bytes that they are.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

from penstock.contracts.state import NativeSource, StateKind
from penstock.data.key_groups import common_range
from penstock.data.saved_pickles import SavedPickles
from penstock.errors import StateError
from penstock.state.rocksdb.database import Database
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH
from penstock.state.rocksdb.native import STATES, LocalCopy, StoredState, states_in


def states_of(sources: Sequence[NativeSource]) -> list[StoredState]:
    """The states in all of the files, those of the first in the order of their numbers there.

    :raises StateError: when the files are of a newer version, or their states of one name do not fit together.
    """
    found: dict[str, StoredState] = {}
    for source in sources:
        for state in states_in(source.reads[STATES]()):
            known = found.get(state.meta.name)
            if known is None:
                found[state.meta.name] = state
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
            found[state.meta.name] = StoredState(known.meta, next_number, classes)
    return list(found.values())


def by_share(sources: Sequence[NativeSource], key_groups: range) -> list[NativeSource]:
    """The sources that have any of the key groups, the one with most of them first."""
    wanted = [source for source in sources if common_range(source.key_groups, key_groups)]
    return sorted(wanted, key=lambda source: -len(common_range(source.key_groups, key_groups)))


def adopt(database: Database, source: NativeSource, key_groups: range) -> None:
    """Have the files of one old subtask as the database."""
    database.begin_with({name: read for name, read in source.reads.items() if name != STATES})
    had = source.key_groups
    if had.start < key_groups.start:
        database.delete_groups(range(had.start, key_groups.start))
    if key_groups.stop < had.stop:
        database.delete_groups(range(key_groups.stop, had.stop))


def copy_entries(
    database: Database, source: NativeSource, key_groups: range, numbers: Mapping[str, int], parent: str
) -> None:
    """Copy the entries of key groups; ``numbers`` are those of the states here, ``parent`` is for working files."""
    cursor = LocalCopy(parent, source.reads).cursor()
    states = states_in(source.reads[STATES]())
    for group in common_range(source.key_groups, key_groups):
        for number, state in enumerate(states):
            head = group.to_bytes(2, "big") + number.to_bytes(2, "big")
            new_head = head[:2] + numbers[state.meta.name].to_bytes(2, "big")
            entries = cursor.entries(head)
            while batch := list(islice(entries, ENTRIES_PER_BATCH)):
                database.write_entries([(new_head + place[4:], data) for place, data in batch])


def may_adopt(states: Sequence[StoredState]) -> bool:
    """Whether the values can stay as they are, and all is known that going on with the states takes.

    Not so in files of before it was written down; nor where a class has other fields now, as a pickle says of some classes
    only which value is the first, the second, ...
    """
    return all(
        (state.next_number is not None or state.meta.kind is not StateKind.MAP)
        and not SavedPickles(state.classes).have_changed
        for state in states
    )
