"""Long parts of what an operator remembers, as files beside the pickle: stored once, and read when they are needed.

A part that is new is in the pickle as long as it is short; one that is in a second snapshot gets a file that this checkpoint
and all later ones refer to. So a snapshot costs as much as what is new in it. There are no copies of these files on the
worker's machine: only a restart reads them, and once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO, Final

from penstock.chance import secret_token
from penstock.checkpoint.checksums import Checksum
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateFile
from penstock.checkpoint.native_files import write_checkpoint_blocks
from penstock.checkpoint.place import SHARED_PREFIX, CheckpointPlace
from penstock.contracts.snapshot_parts import OpenPart, SnapshotPart
from penstock.errors import OutsideError, PenstockError, RestoreFailed, StateError
from penstock.storage.reading import BUFFER_BYTES, open_file, outside_errors
from penstock.storage.writing import exists

SHORT_BYTES: Final = 1 << 20
"""Up to this a part is in the pickle the first time."""
TINY_BYTES: Final = 1 << 12
"""Up to this a part is in the pickle each time: the entry of a file in the manifest is hardly shorter."""
_SEEN: Final = "in a pickle"


class PartFiles:
    """The files of parts in one snapshot, as they are written.

    ``make_room(size)`` raises where checkpoints are kept in memory and so much more does not fit; ``go_on`` raises where
    nobody wants the checkpoint any more.
    """

    def __init__(
        self,
        place: CheckpointPlace,
        prefix: str,
        make_room: Callable[[int], None],
        go_on: Callable[[], None],
    ) -> None:
        self._place = place
        self._prefix = prefix
        self._make_room = make_room
        self._go_on = go_on
        self._in_pickle: set[int] = set()
        self._in_pickle_bytes = 0
        self._failure: PenstockError | None = None
        self._files: dict[int, StateFile] = {}

    @property
    def written(self) -> list[StateFile]:
        """The files that the snapshot refers to."""
        return list(self._files.values())

    def keep(self, part: SnapshotPart) -> str | None:
        """Store a part, or know where it is; None for one that goes into the pickle.

        :raises OutsideError: when the storage does not take it.
        """
        if self._failure is not None:  # pickling is tried in two ways
            raise self._failure
        if id(part) in self._in_pickle:
            return None
        try:
            file = self._files.get(id(part)) or self._find_file(part)
            if file is None:
                self._in_pickle.add(id(part))
                self._in_pickle_bytes += part.size_bytes
                self._make_room(self._in_pickle_bytes)
                return None
        except PenstockError as failure:
            self._failure = failure
            raise
        self._files[id(part)] = file
        return file.state

    def _find_file(self, part: SnapshotPart) -> StateFile | None:
        place = self._place
        if place.directory is None or part.size_bytes <= TINY_BYTES:
            return None
        if place.shared is None:
            return None if part.size_bytes <= SHORT_BYTES else self._write(part, "")
        known = part.remembered
        if isinstance(known, StateFile) and exists(place.path_of(known.name)):
            return known
        if known is None and part.size_bytes <= SHORT_BYTES:
            part.remembered = _SEEN
            return None
        part.remembered = stored = self._write(part, SHARED_PREFIX)
        return stored

    def _write(self, part: SnapshotPart, beginning: str) -> StateFile:
        identity = secret_token(12).hex()  # a name that no other file has, of a try before this one neither
        name = f"{beginning}{self._prefix}-{identity}.part"
        seen = Checksum()
        write_checkpoint_blocks(self._place.path_of(name), self._looked_at(part.content(), seen))
        return StateFile(name, seen.size_bytes, seen.text, None, FileRole.PART, identity)

    def _looked_at(self, blocks: Iterator[bytes], seen: Checksum) -> Iterator[bytes]:
        for block in blocks:
            self._go_on()
            seen.add(block)
            yield block


def parts_of(place: CheckpointPlace, handle: OperatorStateHandle) -> dict[str, OpenPart]:
    """What opens each part of a snapshot, by the name that stands in the pickle.

    Parts are read when the job that is restored is under way already; what is wrong with one is so with its checkpoint.
    """
    return {
        file.state: partial(_open_part, place, file, handle)
        for file in handle.files
        if file.role is FileRole.PART
    }


@contextmanager
def _open_part(place: CheckpointPlace, file: StateFile, handle: OperatorStateHandle) -> Iterator[BinaryIO]:
    try:
        with open_checked(place, file, handle.owner) as content:
            yield content
    except StateError as error:
        raise RestoreFailed.because(handle.checkpoint_id, error) from error


@contextmanager
def open_checked(place: CheckpointPlace, file: StateFile, whose: str) -> Iterator[BinaryIO]:
    """A file of a checkpoint, to be read piece by piece.

    :raises StateError: when it is gone; at its end, when it is not what was written.
    :raises OutsideError: when the storage does not give it now, and may the next time.
    """
    path = place.path_of(file.name)
    try:
        stream = open_file(path)
    except OutsideError as error:
        kind = StateError if isinstance(error.__cause__, FileNotFoundError) else OutsideError
        raise kind(f"{error.message} (it holds the state of {whose})") from error
    with stream, BufferedReader(_Checked(stream, file, path, whose), BUFFER_BYTES) as checked:
        try:
            yield checked
        except Exception:
            while checked.read(BUFFER_BYTES):  # what made no sense may be what was altered
                pass
            raise


class _Checked(RawIOBase):
    """Passes a file on, and looks at its end whether it was what was written."""

    def __init__(self, stream: BinaryIO, file: StateFile, path: str, whose: str) -> None:
        self._stream = stream
        self._file = file
        self._path = path
        self._whose = whose
        self._seen = Checksum()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with outside_errors(self._path):
            piece = self._stream.read(len(buffer))
        self._seen.add(piece)
        buffer[: len(piece)] = piece
        if not piece:
            self._check()
        return len(piece)

    def _check(self) -> None:
        file, seen = self._file, self._seen
        if (seen.size_bytes, seen.text) != (file.size_bytes, file.checksum):
            raise StateError(
                f"{self._path} was altered or cut off: it has {seen.size_bytes} bytes of {file.size_bytes}, or its checksum "
                f"is not {file.checksum}; it holds the state of {self._whose}. Start from another checkpoint"
            )
