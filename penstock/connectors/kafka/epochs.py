"""What a writer has written between two checkpoints: kept until it is committed, so that it can be written again."""

import os
import pickle
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from penstock.connectors.kafka.serialization import ProducerRecord

IN_MEMORY_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, order=True)
class WriterName:
    """A writer over all its runs: the sink's prefix and the number of its subtask."""

    prefix: str
    subtask: int

    def __str__(self) -> str:
        return f"{self.prefix}-{self.subtask}"


class EpochRecords:
    """The records of an epoch, compressed, in memory and beyond a size in a temporary file. They are read block by block, by
    several threads at once if need be. The file is gone with the object; a pickle of it has all records."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._size_bytes = 0
        self._file: int | None = None
        self._places: list[tuple[int, int]] = []

    @classmethod
    def of(cls, blocks: Iterable[bytes]) -> "EpochRecords":
        """Those that were pickled."""
        made = cls()
        for block in blocks:
            made._keep(block)
        return made

    def add(self, records: list[ProducerRecord]) -> None:
        """Keep a batch."""
        self._keep(_pack(pickle.dumps([tuple(record) for record in records], 5)))

    def _keep(self, block: bytes) -> None:
        if self._file is None and self._size_bytes + len(block) > IN_MEMORY_BYTES:
            self._file, path = tempfile.mkstemp(prefix="penstock-epoch-")
            os.unlink(path)
            weakref.finalize(self, os.close, self._file)
            blocks, self._blocks, self._size_bytes = self._blocks, [], 0
            for earlier in blocks:
                self._write(earlier)
        if self._file is None:
            self._blocks.append(block)
            self._size_bytes += len(block)
        else:
            self._write(block)

    def _write(self, block: bytes) -> None:
        assert self._file is not None
        left = memoryview(block)
        while left:
            left = left[os.write(self._file, left) :]
        self._places.append((self._size_bytes, len(block)))
        self._size_bytes += len(block)

    @property
    def is_in_file(self) -> bool:
        """Whether they have left the memory."""
        return self._file is not None

    def blocks(self) -> Iterator[bytes]:
        """As they are kept, one at a time."""
        if self._file is None:
            yield from self._blocks
            return
        for position, size in self._places:
            yield os.pread(self._file, size, position)

    def batches(self) -> Iterator[list[ProducerRecord]]:
        """As they were added."""
        for block in self.blocks():
            yield [ProducerRecord(*fields) for fields in pickle.loads(_unpack(block))]

    def __reduce__(self) -> tuple[Any, ...]:
        return EpochRecords.of, (list(self.blocks()),)


@dataclass(frozen=True, slots=True)
class Epoch:
    """The committable: everything that is needed to commit the transaction, or to write it anew.

    ``topics`` are where its marker goes, ``number`` and ``identity`` are what the marker says, ``run`` is that of the writer.
    """

    writer: WriterName
    transactional_id: str
    topics: tuple[str, ...]
    number: int
    identity: str
    run: str
    records: EpochRecords = field(compare=False)


def _pack(data: bytes) -> bytes:
    import pyarrow

    packed: bytes = pyarrow.compress(data, "lz4_raw", asbytes=True)
    return len(data).to_bytes(8, "big") + packed


def _unpack(block: bytes) -> bytes:
    import pyarrow

    data: bytes = pyarrow.decompress(block[8:], int.from_bytes(block[:8], "big"), "lz4_raw", asbytes=True)
    return data
