"""From the snapshot of one operator to files of a checkpoint, and from the files of all old subtasks to one new snapshot.

State files are the user's own storage and are trusted as such: whoever can write them can run code in the job.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from penstock.checkpoint.checksums import checksum_of
from penstock.checkpoint.element_files import decode_elements, encode_elements
from penstock.checkpoint.entry_files import EncodedFile, FileEntries, encode_entries
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateDescription, StateFile
from penstock.checkpoint.local_state import find_copy, keep_copy
from penstock.checkpoint.native_files import (
    native_source,
    read_native,
    write_checkpoint_file,
    write_native,
)
from penstock.checkpoint.part_files import PartFiles, parts_of
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace, merged
from penstock.contracts.snapshot_parts import kept_apart, parts_found
from penstock.contracts.state import (
    KeyedStateSnapshot,
    NativeState,
    OpenNative,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateEntries,
    StateKind,
    StateMeta,
)
from penstock.data.key_groups import key_group_range
from penstock.data.saved_classes import Reference
from penstock.data.saved_pickles import NotingPickles, SavedPickles
from penstock.errors import OutsideError, PenstockError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.storage.reading import open_file

_OPERATOR = "operator-"


def write_operator_snapshot(
    place: CheckpointPlace,
    snapshot: OperatorSnapshot,
    operator_id: str,
    operator_name: str,
    subtask: SubtaskPlace,
    go_on: Callable[[], None] = lambda: None,
) -> OperatorStateHandle:
    """Write the snapshot of one operator of one subtask, and say what was written.

    Called by a thread of its own, after the task has gone on. ``go_on`` is called now and then while something long is
    written, and raises when nobody wants it any more. Raises ``StateError`` for what cannot be pickled, and ``OutsideError``
    when the storage does not take it.
    """
    files = _Files(place, operator_id, operator_name, subtask)
    keyed = snapshot.keyed
    native: NativeState | None = None
    if keyed is not None and keyed.native is not None and place.shared is not None:
        native = keyed.native()
        files.written += write_native(place, files.prefix, native)
    elif keyed is not None:
        for name, entries in keyed.states.items():
            for file in encode_entries(entries):
                files.add(FileRole.KEYED, name, file)
    for name, entries in snapshot.timers.items():
        if native is not None and name in native.timers:
            continue
        for file in encode_entries(entries):
            files.add(FileRole.TIMERS, name, file)
    if snapshot.operator is not None:
        for name, (mode, elements) in snapshot.operator.states.items():
            files.add(FileRole.OPERATOR, name, encode_elements(name, mode, elements))
    if snapshot.own is not None:
        files.add_own(snapshot.own, go_on)
    return OperatorStateHandle(
        operator_id,
        operator_name,
        subtask.index,
        subtask.parallelism,
        subtask.max_parallelism,
        tuple(files.written),
        _descriptions(snapshot, native),
        snapshot.checkpoint_id,
    )


def load_libraries(snapshot: OperatorSnapshot) -> None:
    """Import what :func:`write_operator_snapshot` needs for this snapshot.

    For the task's own thread: an import in a thread beside a busy one takes ten times as long.
    """
    if snapshot.keyed is not None or snapshot.timers or snapshot.operator is not None:
        import pyarrow.compute
        import pyarrow.parquet  # noqa: F401


class _Files:
    """The files of one operator of one subtask as they are written."""

    def __init__(
        self, place: CheckpointPlace, operator_id: str, operator_name: str, subtask: SubtaskPlace
    ) -> None:
        self._place = place
        self._operator = operator_name
        self.prefix = f"{operator_id}-{subtask.index}"
        self._subtask = subtask
        self._bytes = 0
        self.written: list[StateFile] = []

    def add(self, role: FileRole, state: str, file: EncodedFile, classes: Sequence[Reference] = ()) -> None:
        """Write a file, or keep it in the handle where checkpoints are kept in memory."""
        content = file.content
        suffix = "pickle" if role is FileRole.OWN else "parquet"
        readable = re.sub(r"[^A-Za-z0-9_-]+", "_", state)[:60] or role.value
        name = f"{self.prefix}-{len(self.written)}-{readable}.{suffix}"
        kept = None
        if self._place.directory is None:
            self._count(len(content))
            kept = content
        else:
            write_checkpoint_file(self._place.path_of(name), content)
            if self._place.local is not None:
                keep_copy(self._place, name, content)
        self.written.append(
            StateFile(
                name,
                len(content),
                checksum_of(content),
                kept,
                role,
                state,
                file.rows,
                file.columns,
                tuple(classes),
            )
        )

    def add_own(self, own: Any, go_on: Callable[[], None]) -> None:
        """Write what the operator itself remembers, its long parts in files of their own."""
        parts = PartFiles(self._place, self.prefix, self._make_room, go_on)
        pickles = NotingPickles()
        with kept_apart(parts.keep):
            pickled = _pickled(own, self._operator, pickles)
        self.written += parts.written
        self.add(FileRole.OWN, "", EncodedFile(pickled, 1, ()), pickles.classes)

    def _count(self, size_bytes: int) -> None:
        self._make_room(size_bytes)
        self._bytes += size_bytes

    def _make_room(self, size_bytes: int) -> None:
        limit, size_bytes = self._place.memory_limit_bytes, self._bytes + size_bytes
        if self._place.directory is None and limit is not None and size_bytes > limit:
            raise StateError(
                f"the state of operator {self._operator!r}, subtask {self._subtask.index + 1}/{self._subtask.parallelism}, "
                f"has {size_bytes} bytes, and checkpoints in memory take {limit} bytes of each at most; set "
                "execution.checkpointing.dir to have them in files"
            )


def read_operator_snapshot(
    place: CheckpointPlace,
    handles: Sequence[OperatorStateHandle],
    subtask: SubtaskPlace,
    open_native: OpenNative | None = None,
) -> OperatorSnapshot | None:
    """The part of one new subtask in the state that all old subtasks left; None where they left none.

    ``open_native`` reads what incremental checkpoints hold of keyed state.

    :raises StateError: when a file was altered, or cannot be restored at this parallelism.
    """
    own = subtask.key_groups
    snapshots = {handle.subtask_index: _read(place, handle, own, open_native) for handle in handles}
    if not snapshots:
        return None
    old = [snapshots.get(index) for index in range(max(handles[0].parallelism, max(snapshots) + 1))]
    return merged(old, subtask)


def read_checked(place: CheckpointPlace, file: StateFile, whose: str) -> bytes:
    """The content of a file of a checkpoint.

    :raises StateError: when it is gone, or is not what was written; the error names file and owner.
    :raises OutsideError: when the storage does not give it now, and may the next time.
    """
    if file.content is not None:
        return file.content
    if place.local is not None:
        copy = find_copy(place, file.name)
        if copy is not None and len(copy) == file.size_bytes and checksum_of(copy) == file.checksum:
            return copy
    path = place.path_of(file.name)
    try:
        with open_file(path) as stream:
            content = stream.read()
    except OutsideError as error:
        explained = f"{error.message} (it holds the state of {whose})"
        if isinstance(error.__cause__, FileNotFoundError):
            raise StateError(explained) from error
        raise OutsideError(explained) from error
    if len(content) != file.size_bytes or checksum_of(content) != file.checksum:
        raise StateError(
            f"{path} was altered or cut off: it has {len(content)} bytes of {file.size_bytes}, or its checksum is not "
            f"{file.checksum}; it holds the state of {whose}. Start from another checkpoint"
        )
    return content


def _read(
    place: CheckpointPlace, handle: OperatorStateHandle, wanted: range, open_native: OpenNative | None
) -> OperatorSnapshot:
    """The snapshot of one old subtask; its entries are read when somebody asks for them, and not if none is wanted."""
    whose = handle.owner
    keyed, timers = (
        _entries(place, handle, role, whose, wanted) for role in (FileRole.KEYED, FileRole.TIMERS)
    )
    source = None
    if _has_any_of(handle, wanted):
        source = None if keyed else native_source(place, handle, read_checked, whose)
        for entries in read_native(place, handle, read_checked, whose, open_native):
            into = timers if entries.meta.kind is StateKind.TIMERS else keyed
            into[entries.meta.name] = entries
    states: dict[str, tuple[OperatorStateMode, tuple[bytes, ...]]] = {}
    own = None
    for file in handle.files:
        if file.role is FileRole.OPERATOR:
            states[file.state] = decode_elements(read_checked(place, file, whose), file.state)
        elif file.role is FileRole.OWN:
            with parts_found(parts_of(place, handle)):
                pickles = SavedPickles(file.classes)
                own = pickles.load(read_checked(place, file, whose), f"what {whose} had to remember")
    return OperatorSnapshot(
        keyed=KeyedStateSnapshot(handle.max_parallelism, keyed, sources=(source,) if source else ())
        if keyed or source
        else None,
        timers=timers,
        operator=OperatorStateSnapshot(states, _operator_types(handle)) if states else None,
        own=own,
        checkpoint_id=handle.checkpoint_id,
    )


def _operator_types(handle: OperatorStateHandle) -> dict[str, str]:
    of_operator = [state for state in handle.states if state.kind.startswith(_OPERATOR)]
    return {state.name: state.type_text for state in of_operator if state.type_text}


def _has_any_of(handle: OperatorStateHandle, wanted: range) -> bool:
    had = key_group_range(handle.max_parallelism, handle.parallelism, handle.subtask_index)
    return had.start < wanted.stop and wanted.start < had.stop


def _entries(
    place: CheckpointPlace, handle: OperatorStateHandle, role: FileRole, whose: str, wanted: range
) -> dict[str, StateEntries]:
    is_wanted = _has_any_of(handle, wanted)
    reads: dict[str, list[Callable[[], bytes]]] = {}
    for file in handle.files:
        if file.role is role:
            of_state = reads.setdefault(file.state, [])
            if is_wanted:
                of_state.append(partial(read_checked, place, file, whose))
    found: dict[str, StateEntries] = {}
    for state in handle.states:
        if state.name in reads and (state.kind == StateKind.TIMERS.value) == (role is FileRole.TIMERS):
            meta = StateMeta(state.name, StateKind(state.kind), state.type_text, state.ttl)
            found[state.name] = FileEntries(meta, reads[state.name])
    return found


def _pickled(own: Any, operator_name: str, pickles: NotingPickles) -> bytes:
    try:
        return pickles.dump(own)
    except PenstockError:
        raise
    except Exception as error:
        raise StateError(
            f"what operator {operator_name!r} has to remember cannot be pickled: {error}"
        ) from error


def _descriptions(snapshot: OperatorSnapshot, native: NativeState | None) -> tuple[StateDescription, ...]:
    found: list[StateDescription] = []
    of_states, of_timers = ({}, {}) if native is None else (native.classes, native.timers)
    if snapshot.keyed is not None:
        for name, state in snapshot.keyed.states.items():
            meta, known = state.meta, tuple(of_states.get(name, ()))
            found.append(StateDescription(name, meta.kind.value, meta.type_text, meta.ttl, known))
    if snapshot.operator is not None:
        for name, (mode, _) in snapshot.operator.states.items():
            declared = snapshot.operator.types.get(name, "")
            found.append(StateDescription(name, f"{_OPERATOR}{mode.value}", declared))
    for name in snapshot.timers:
        known = tuple(of_timers.get(name, ()))
        found.append(StateDescription(name, StateKind.TIMERS.value, classes=known))
    return tuple(found)


def is_empty(snapshot: OperatorSnapshot) -> bool:
    """Whether an operator has nothing to remember, so that nothing need be written for it."""
    parts: list[Any] = [snapshot.own]
    if snapshot.keyed is not None:
        parts += list(snapshot.keyed.states)
    if snapshot.operator is not None:
        parts += list(snapshot.operator.states)
    return not any(part is not None for part in parts) and not snapshot.timers
