"""What a writer has written between two checkpoints: kept until it is committed, so that it can be written again."""

import os
import pickle
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO, ClassVar, Final

from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.contracts.snapshot_parts import OpenPart, SnapshotPart
from penstock.errors import StateError

IN_MEMORY_BYTES = 64 << 20
"""What all epochs of the process have in memory at most."""
PIECE_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 8


@dataclass(frozen=True, slots=True, order=True)
class WriterName:
    """A writer over all its runs: the sink's prefix and the number of its subtask."""

    prefix: str
    subtask: int

    def __str__(self) -> str:
        return f"{self.prefix}-{self.subtask}"


class EpochRecords(SnapshotPart):
    """The records of an epoch, compressed: in memory, where that has no room in a temporary file, or in that of a checkpoint.
    They are read block by block, by several threads at once if need be. A temporary file is gone with the object."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._size_bytes = 0
        self._room = _Room()
        weakref.finalize(self, self._room.leave)
        self._file: int | None = None
        self._stored: OpenPart | None = None

    @classmethod
    def of_content(cls, content: bytes) -> "EpochRecords":
        made = cls()
        for block in _blocks_of(BytesIO(content)):
            made._keep(block)
        return made

    @classmethod
    def of(cls, blocks: Iterable[bytes]) -> "EpochRecords":
        """Out of a checkpoint of the time when epochs had no files of their own."""
        made = cls()
        for block in blocks:
            made._keep(block)
        return made

    @classmethod
    def of_stored(cls, open_part: OpenPart) -> "EpochRecords":
        made = cls()
        made._stored = open_part
        return made

    def add(self, records: list[ProducerRecord]) -> None:
        """Keep a batch."""
        self._keep(_pack(pickle.dumps([tuple(record) for record in records], 5)))

    def _keep(self, block: bytes) -> None:
        if self._file is None and not self._room.take(len(block)):
            self._file, path = tempfile.mkstemp(prefix="penstock-epoch-")
            os.unlink(path)
            weakref.finalize(self, os.close, self._file)
            blocks, self._blocks = self._blocks, []
            for earlier in blocks:
                self._write(earlier)
            self._room.leave()
        if self._file is None:
            self._blocks.append(block)
        else:
            self._write(block)
        self._size_bytes += _HEAD_BYTES + len(block)

    def _write(self, block: bytes) -> None:
        assert self._file is not None
        left = memoryview(_head_of(block) + block)
        while left:
            left = left[os.write(self._file, left) :]

    @property
    def is_in_file(self) -> bool:
        """Whether they have left the memory."""
        return self._file is not None

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def content(self) -> Iterator[bytes]:
        for block in self._blocks:
            yield _head_of(block)
            yield block
        if self._file is not None or self._stored is not None:
            with self._open() as stream:
                while piece := stream.read(PIECE_BYTES):
                    yield piece

    def batches(self) -> Iterator[list[ProducerRecord]]:
        """As they were added.

        :raises StateError: at the end, when they were read from a checkpoint and are not what was written.
        """
        yield from map(_unpack, self._blocks)
        if self._file is not None or self._stored is not None:
            with self._open() as stream:
                for block in _blocks_of(stream):
                    yield _unpack(block)

    def _open(self) -> AbstractContextManager[BinaryIO]:
        if self._stored is not None:
            return self._stored()
        assert self._file is not None
        return BufferedReader(_FromStart(self._file, self._size_bytes), PIECE_BYTES)


class _FromStart(RawIOBase):
    """Reads an open file from its beginning, without a position that others share."""

    def __init__(self, file: int, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = os.pread(self._file, min(len(buffer), self._size_bytes - self._at), self._at)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class _Room:
    """The share of one epoch in what all have in memory. It may be left at any moment, in the middle of :meth:`take` too, as
    Python does away with an object whenever it comes to it: so what was given back is counted later."""

    _lock = threading.Lock()
    _taken_bytes = 0
    _given_back: ClassVar[deque[int]] = deque()

    def __init__(self) -> None:
        self._own_bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Have more of it, if there is room."""
        with _Room._lock:
            while _Room._given_back:
                _Room._taken_bytes -= _Room._given_back.popleft()
            if _Room._taken_bytes + size_bytes > IN_MEMORY_BYTES:
                return False
            _Room._taken_bytes += size_bytes
        self._own_bytes += size_bytes
        return True

    def leave(self) -> None:
        """Give all of it back."""
        own_bytes, self._own_bytes = self._own_bytes, 0
        _Room._given_back.append(own_bytes)


@dataclass(frozen=True, slots=True)
class Epoch:
    """The committable: everything that is needed to commit the transaction, or to write it anew.

    ``topics`` are where its marker goes (some that it was written to, and the anchor of all notes if it may), ``number`` and
    ``identity`` are what the marker says, ``run`` is that of the writer.
    """

    writer: WriterName
    transactional_id: str
    topics: tuple[str, ...]
    number: int
    identity: str
    run: str
    records: EpochRecords = field(compare=False)


def read_back(stored: Any) -> Epoch:
    """An epoch of a checkpoint, whichever version has written it.

    :raises StateError: when it is from before epochs knew their writer.
    """
    if not isinstance(stored, Epoch) or not isinstance(stored.writer, WriterName):
        raise StateError(
            "what the Kafka sink has yet to commit was prepared by an early version of penstock, and cannot be read; start "
            "the job once more with that version and stop it with a savepoint, which commits everything; then give the sink "
            "another uid, and start from the savepoint with -n (--allowNonRestoredState)"
        )
    topics: Any = stored.topics
    return (
        replace(stored, topics=(topics,)) if isinstance(topics, str) else stored
    )  # of one topic there was the name


def _head_of(block: bytes) -> bytes:
    return len(block).to_bytes(_HEAD_BYTES, "big")


def _blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    while head := stream.read(_HEAD_BYTES):
        left = int.from_bytes(head, "big")
        pieces: list[bytes] = []
        while left and (piece := stream.read(min(left, PIECE_BYTES))):  # what was altered may say any length
            pieces.append(piece)
            left -= len(piece)
        yield b"".join(pieces)


def _pack(data: bytes) -> bytes:
    import pyarrow

    packed: bytes = pyarrow.compress(data, "lz4_raw", asbytes=True)
    return len(data).to_bytes(8, "big") + packed


def _unpack(block: bytes) -> list[ProducerRecord]:
    import pyarrow

    data: bytes = pyarrow.decompress(block[8:], int.from_bytes(block[:8], "big"), "lz4_raw", asbytes=True)
    return [ProducerRecord(*fields) for fields in pickle.loads(data)]
