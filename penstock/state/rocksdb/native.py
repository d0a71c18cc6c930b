"""Snapshots as files of the database: what an incremental checkpoint stores, and how its entries are read again.

RocksDB never changes a file of entries (``*.sst``), so one that several checkpoints have is stored once. Beside the files of
the database there is one that says which states are in it.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.contracts.state import NativeEntries, NativeFile, NativeState, StateKind, StateMeta
from penstock.data.saved_classes import Reference
from penstock.errors import OutsideError, StateError
from penstock.state.rocksdb.database import Copy, Cursor, open_copy
from penstock.state.rocksdb.entries import EntryBytes
from penstock.state.rocksdb.map_bytes import MapEntryBytes
from penstock.state.rocksdb.snapshot import FrozenEntries
from penstock.state.rocksdb.timer_bytes import TimerBytes
from penstock.state.rocksdb.timers import StoredTimerEntries
from penstock.state.rocksdb.working_directory import WorkingDirectory

STATES = "penstock.json"
VERSION = 2
"""1: without timers."""

_WITHOUT_TIMERS = 1


@dataclass(frozen=True, slots=True)
class StoredState:
    """A state in a database.

    ``next_number``: of maps, above the numbers of all entries; None where nobody wrote it down. ``classes``: those in the
    pickles.
    """

    meta: StateMeta
    next_number: int | None = 0
    classes: Sequence[Reference] = ()


def described(states: Iterable[StoredState]) -> str:
    """What has to be known of a database to read it: its states, in the order of their numbers."""
    states = list(states)
    has_timers = any(state.meta.kind is StateKind.TIMERS for state in states)
    described = [
        {
            "name": state.meta.name,
            "kind": state.meta.kind.value,
            "type": state.meta.type_text,
            "ttl": state.meta.ttl,
            "next_number": state.next_number,
            "classes": list(state.classes),
        }
        for state in states
    ]
    return json.dumps({"version": VERSION if has_timers else _WITHOUT_TIMERS, "states": described})


def states_in(description: bytes) -> list[StoredState]:
    """The states of a database, in the order of their numbers.

    :raises StateError: when the files are of a newer version.
    """
    content = json.loads(description)
    if content["version"] > VERSION:
        raise StateError(
            f"the files of a RocksDB database have version {content['version']}, and this version of penstock reads up to "
            f"{VERSION}: use the version that wrote them, or a newer one"
        )
    return [
        StoredState(
            StateMeta(state["name"], StateKind(state["kind"]), state["type"], state["ttl"]),
            state.get("next_number"),
            state.get("classes", ()),
        )
        for state in content["states"]
    ]


def native_state(
    shown: Callable[[], str],
    states: Sequence[StoredState],
    database: str,
    remembered: dict[str, Any],
) -> NativeState:
    """The files in a directory. ``database`` is a name that no other database has."""
    directory = shown()  # after which all is pickled, and the classes are known
    Path(directory, STATES).write_text(described(states))
    files = []
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".log"):  # of which there are none, as nothing is logged
            shared_as = f"{database}-{name}" if name.endswith(".sst") else None
            files.append(NativeFile(name, f"{directory}/{name}", shared_as))
    classes: dict[str, tuple[Reference, ...]] = {}
    timers: dict[str, tuple[Reference, ...]] = {}
    for state in states:
        into = timers if state.meta.kind is StateKind.TIMERS else classes
        into[state.meta.name] = tuple(state.classes)
    return NativeState(tuple(files), remembered, classes, timers)


def open_native(
    parent: str, max_parallelism: int, reads: Mapping[str, Callable[[], bytes]]
) -> list[NativeEntries]:
    """The entries of a database whose files ``reads`` give; they are brought to a directory in ``parent`` when needed.

    :raises StateError: when the files are of a newer version.
    """
    states = states_in(reads[STATES]())
    copy = LocalCopy(parent, reads)
    return [_entries_of(state, number, max_parallelism, copy.cursor) for number, state in enumerate(states)]


def _entries_of(
    state: StoredState, number: int, max_parallelism: int, cursor: Callable[[], Cursor]
) -> NativeEntries:
    meta, all_groups = state.meta, range(max_parallelism)
    if meta.kind is StateKind.TIMERS:
        timers = TimerBytes(meta.name, number, max_parallelism, all_groups, state.classes)
        return StoredTimerEntries(meta, timers, cursor)
    kind = MapEntryBytes if meta.kind is StateKind.MAP else EntryBytes
    return FrozenEntries(meta, kind(meta.name, number, max_parallelism, all_groups, state.classes), cursor)


class LocalCopy:
    """The files of a database, brought here with the first question; they go when nobody has this any more."""

    def __init__(self, parent: str, reads: Mapping[str, Callable[[], bytes]]) -> None:
        self._parent = parent
        self._reads = reads
        self._directory: WorkingDirectory | None = None
        self._copy: Copy | None = None

    def cursor(self) -> Cursor:
        """All entries."""
        if self._copy is None:
            self._directory = WorkingDirectory(self._parent)
            for name, read in self._reads.items():
                content = read()
                try:
                    Path(self._directory.path, name).write_bytes(content)
                except OSError as error:
                    raise OutsideError(
                        f"a checkpoint cannot be brought to {self._directory.path}: {error}"
                    ) from error
            self._copy = open_copy(self._directory.path)
        return self._copy.cursor()
