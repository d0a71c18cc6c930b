"""Snapshots as files of a state backend's own making: those that never change are stored once, for all checkpoints."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from penstock.checkpoint.checksums import checksum_of
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateFile
from penstock.checkpoint.local_state import keep_link
from penstock.checkpoint.place import SHARED_PREFIX, CheckpointPlace
from penstock.contracts.state_snapshots import (
    NativeEntries,
    NativeFile,
    NativeSource,
    NativeState,
    OpenNative,
)
from penstock.data.key_groups import key_group_range
from penstock.errors import OutsideError, StateError
from penstock.storage.writing import exists, write_new_blocks

Read = Callable[[CheckpointPlace, StateFile, str], bytes]
"""Reads a file, and says whose it is when it cannot."""


def write_native(place: CheckpointPlace, prefix: str, native: NativeState) -> Iterator[StateFile]:
    """Store the files of a snapshot; of the shared ones those that are not there yet.

    What came with a restored checkpoint is there under the name that it had, unless the job has another directory now. It is
    stored anew then, by each subtask that goes on with it, and so under a name of its own.

    :raises OutsideError: when the storage does not take one.
    """
    for file in native.files:
        if file.shared_as is None:
            yield _write(place, f"{prefix}-{file.name}", file)
            continue
        known: StateFile | None = native.remembered.get(file.name)
        if known is None or not exists(place.path_of(known.name)):
            known = native.remembered[file.name] = _write(place, SHARED_PREFIX + file.shared_as, file)
        else:
            keep_link(place, known.name, file.path)
        yield known
    for gone in native.remembered.keys() - {file.name for file in native.files}:
        del native.remembered[gone]


def _write(place: CheckpointPlace, name: str, file: NativeFile) -> StateFile:
    try:
        with open(file.path, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise OutsideError(f"{file.path}, which a checkpoint needs, cannot be read: {error}") from error
    write_checkpoint_file(place.path_of(name), content)
    keep_link(place, name, file.path)
    return StateFile(name, len(content), checksum_of(content), None, FileRole.NATIVE, file.name)


def native_source(
    place: CheckpointPlace, handle: OperatorStateHandle, read: Read, whose: str
) -> NativeSource | None:
    """The files that the keyed state of one old subtask is in, None if it is in none of a backend's own."""
    files = [file for file in handle.files if file.role is FileRole.NATIVE]
    if not files:
        return None
    return NativeSource(
        key_group_range(handle.max_parallelism, handle.parallelism, handle.subtask_index),
        {file.state: partial(read, place, file, whose) for file in files},
        {file.state: file for file in files if file.name.startswith(SHARED_PREFIX)},
    )


def write_checkpoint_file(path: str, content: bytes) -> None:
    """Write a file of a checkpoint.

    :raises OutsideError: when the storage does not take it, or somebody else has written it.
    """
    write_checkpoint_blocks(path, (content,))


def write_checkpoint_blocks(path: str, blocks: Iterable[bytes]) -> None:
    """The same for a file that is made block by block."""
    try:
        write_new_blocks(path, blocks)
    except OutsideError as error:
        if not isinstance(error.__cause__, FileExistsError):
            raise
        raise OutsideError(
            f"{path} is there already: another job writes its checkpoints into the same directory; let every job have a "
            "directory of its own, as execution.checkpointing.create-subdir does"
        ) from error


def read_native(
    place: CheckpointPlace,
    handle: OperatorStateHandle,
    read: Read,
    whose: str,
    open_native: OpenNative | None,
) -> Sequence[NativeEntries]:
    """The entries in a backend's own files of one old subtask, of each state and set of timers; read when asked for.

    :raises StateError: when there is nothing to read them with.
    """
    files = [file for file in handle.files if file.role is FileRole.NATIVE]
    if not files:
        return ()
    if open_native is None:
        raise StateError(
            f"the keyed state of {whose} is in {place.directory} as files of RocksDB, as incremental checkpoints have it; "
            "restore the job from there, and take a savepoint, whose files can be read by anything"
        )
    reads: dict[str, Callable[[], bytes]] = {file.state: partial(read, place, file, whose) for file in files}
    return open_native(handle.max_parallelism, reads)
