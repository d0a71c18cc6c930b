"""From the snapshot of one operator to a file of a checkpoint, and from the files of all old subtasks to one new snapshot.

State files are the user's own storage and are trusted as such: whoever can write them can run code in the job.
"""

import hashlib
import pickle
from collections.abc import Sequence
from typing import Any

from penstock.checkpoint.handles import OperatorStateHandle, StateDescription, StateFile
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace, merged
from penstock.data.pickles import dump
from penstock.errors import OutsideError, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.storage.reading import open_file
from penstock.storage.writing import write_new_file


def write_operator_snapshot(
    place: CheckpointPlace,
    snapshot: OperatorSnapshot,
    operator_id: str,
    operator_name: str,
    subtask: SubtaskPlace,
) -> OperatorStateHandle:
    """Write the snapshot of one operator of one subtask, and say what was written.

    Called by a thread of its own, after the task has gone on. Raises ``StateError`` for what cannot be pickled, and
    ``OutsideError`` when the storage does not take it.
    """
    content = _pickled(snapshot, operator_name)
    checksum = checksum_of(content)
    name = f"{operator_id}-{subtask.index}.state"
    if place.directory is None:
        limit = place.memory_limit_bytes
        if limit is not None and len(content) > limit:
            raise StateError(
                f"the state of operator {operator_name!r}, subtask {subtask.index + 1}/{subtask.parallelism}, has "
                f"{len(content)} bytes, and checkpoints in memory take {limit} bytes of each at most; set "
                "execution.checkpointing.dir to have them in files"
            )
        file = StateFile(name, len(content), checksum, content)
    else:
        write_new_file(place.path_of(name), content)
        file = StateFile(name, len(content), checksum)
    return OperatorStateHandle(
        operator_id,
        operator_name,
        subtask.index,
        subtask.parallelism,
        subtask.max_parallelism,
        (file,),
        _descriptions(snapshot),
    )


def read_operator_snapshot(
    place: CheckpointPlace, handles: Sequence[OperatorStateHandle], subtask: SubtaskPlace
) -> OperatorSnapshot | None:
    """The part of one new subtask in the state that all old subtasks left; None where they left none.

    :raises StateError: when a file was altered, or cannot be restored at this parallelism.
    """
    snapshots = {handle.subtask_index: _read(place, handle) for handle in handles}
    if not snapshots:
        return None
    old = [snapshots.get(index) for index in range(max(handles[0].parallelism, max(snapshots) + 1))]
    return merged(old, subtask)


def checksum_of(content: bytes) -> str:
    """What tells whether a file is still what was written."""
    return "blake2b:" + hashlib.blake2b(content, digest_size=16).hexdigest()


def read_checked(place: CheckpointPlace, file: StateFile, whose: str) -> bytes:
    """The content of a file of a checkpoint; raises ``StateError`` naming file and owner when it is not what was written."""
    if file.content is not None:
        return file.content
    path = place.path_of(file.name)
    try:
        with open_file(path) as stream:
            content = stream.read()
    except OutsideError as error:
        raise StateError(f"{error.message} (it holds the state of {whose})") from error
    if len(content) != file.size_bytes or checksum_of(content) != file.checksum:
        raise StateError(
            f"{path} was altered or cut off: it has {len(content)} bytes of {file.size_bytes}, or its checksum is not "
            f"{file.checksum}; it holds the state of {whose}. Start from another checkpoint"
        )
    return content


def _read(place: CheckpointPlace, handle: OperatorStateHandle) -> OperatorSnapshot:
    whose = f"operator {handle.operator_name!r}, subtask {handle.subtask_index + 1}/{handle.parallelism}"
    content = read_checked(place, handle.files[0], whose)
    try:
        snapshot: OperatorSnapshot = pickle.loads(content)
    except Exception as error:
        raise StateError(
            f"the state of {whose} cannot be read: {type(error).__name__}: {error}. Its classes must be importable "
            "under the names they had"
        ) from error
    return snapshot


def _pickled(snapshot: OperatorSnapshot, operator_name: str) -> bytes:
    try:
        return dump(snapshot)
    except StateError:
        raise
    except Exception as error:
        raise StateError(
            f"what operator {operator_name!r} has to remember cannot be pickled: {error}"
        ) from error


def _descriptions(snapshot: OperatorSnapshot) -> tuple[StateDescription, ...]:
    found: list[StateDescription] = []
    if snapshot.keyed is not None:
        for name, state in snapshot.keyed.states.items():
            found.append(StateDescription(name, state.meta.kind.value, state.meta.type_text))
    if snapshot.operator is not None:
        for name, (mode, _) in snapshot.operator.states.items():
            found.append(StateDescription(name, f"operator-{mode.value}"))
    found += [StateDescription(name, "timers") for name in snapshot.timers]
    return tuple(found)


def is_empty(snapshot: OperatorSnapshot) -> bool:
    """Whether an operator has nothing to remember, so that nothing need be written for it."""
    parts: list[Any] = [snapshot.own]
    if snapshot.keyed is not None:
        parts += list(snapshot.keyed.states)
    if snapshot.operator is not None:
        parts += list(snapshot.operator.states)
    return not any(part is not None for part in parts) and not snapshot.timers
