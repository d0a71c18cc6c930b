"""What a writer has written between two checkpoints: kept until it is committed, so that it can be written again."""

import pickle
import tempfile
from dataclasses import dataclass
from typing import Any

from penstock.connectors.kafka.serialization import ProducerRecord

IN_MEMORY_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Epoch:
    """The committable: everything that is needed to commit the transaction, or to write it anew.

    ``group`` and ``topic`` are where its marker goes, ``number`` and ``identity`` what the marker says; ``packed`` are the
    records, compressed.
    """

    transactional_id: str
    group: str
    topic: str
    number: int
    identity: str
    packed: tuple[bytes, ...]

    def records(self) -> list[ProducerRecord]:
        """What was written, in order."""
        return [ProducerRecord(*fields) for block in self.packed for fields in pickle.loads(_unpack(block))]


class EpochRecords:
    """Collects the records of an epoch, compressed, in memory and beyond a size in a temporary file."""

    def __init__(self) -> None:
        self._file: Any = None
        self._sizes: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._sizes)

    def add(self, records: list[ProducerRecord]) -> None:
        """Keep a batch."""
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  (closed by `close`)
        block = _pack(pickle.dumps([tuple(record) for record in records], 5))
        self._file.write(block)
        self._sizes.append(len(block))

    def take(self) -> tuple[bytes, ...]:
        """All blocks; what comes later is of the next epoch."""
        if self._file is not None:
            self._file.seek(0)
        blocks = tuple(self._file.read(size) for size in self._sizes)
        self.close()
        return blocks

    def close(self) -> None:
        """Forget what was collected."""
        self._sizes = []
        if self._file is not None:
            self._file.close()
            self._file = None


def _pack(data: bytes) -> bytes:
    import pyarrow

    packed: bytes = pyarrow.compress(data, "lz4_raw", asbytes=True)
    return len(data).to_bytes(8, "big") + packed


def _unpack(block: bytes) -> bytes:
    import pyarrow

    data: bytes = pyarrow.decompress(block[8:], int.from_bytes(block[:8], "big"), "lz4_raw", asbytes=True)
    return data
