"""What does not fit into memory and waits for its end: blocking exchanges, in order or grouped by key."""

import os
import sys
from collections import deque
from typing import Any

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import Barrier, Element, EndOfInput
from penstock.errors import OutsideError, ProtocolError
from penstock.network.framing import BATCH_KINDS, Encoder, Kind, Payload, decode

_WRITE_BYTES = 1024 * 1024
_SAMPLE = 8


class SpoolMemory:
    """Memory that all spools of a worker share.

    >>> memory = SpoolMemory(100)
    >>> memory.take(60), memory.take(60)
    (True, False)
    >>> memory.give_back(60)
    >>> memory.take(60)
    True
    """

    __slots__ = ("_left_bytes",)

    def __init__(self, size_bytes: int) -> None:
        self._left_bytes = size_bytes

    def take(self, size_bytes: int) -> bool:
        """Have so much, if it is there; says whether it was."""
        if size_bytes > self._left_bytes:
            return False
        self._left_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Leave it to others."""
        self._left_bytes += size_bytes


class SpoolChannel:
    """An unbounded channel: memory as long as there is any, then a temporary file, read back in order.

    Both ends in one object. ``directory`` is where the file is made (the system's place for temporary files when None); the
    file has no name and vanishes with the process. :meth:`discard` releases it, and so does polling the last element, unless
    it ``keeps`` what was polled, so that :meth:`rewind` can have all of it read again.

    >>> spool = SpoolChannel(SpoolMemory(0))
    >>> spool.put(RowBatch(["a"]))
    >>> spool.put(EndOfInput())
    >>> spool.ended, spool.poll(), spool.poll(), spool.poll()
    (True, RowBatch(['a'], None, None), EndOfInput(drained=True, savepoint_id=0), None)
    """

    def __init__(self, memory: SpoolMemory, directory: str | None = None, keeps: bool = False) -> None:
        self._memory = memory
        self._keeps = keeps
        self._directory = directory
        self._encoder = Encoder()
        self._in_memory: deque[tuple[int, Element | tuple[int, Payload]]] = deque()
        self._used_bytes = 0
        self._file: SpillFile | None = None
        self._on_disk: deque[tuple[int, int, int]] = deque()
        self._read_in_memory: list[tuple[int, Element | tuple[int, Payload]]] = []
        self._read_on_disk: list[tuple[int, int, int]] = []
        self._failure: OutsideError | None = None
        self._closed = False
        self.ended = False
        self.received_bytes = 0

    sent_bytes = 0  # a sender that has the spool itself is in the same process

    @property
    def available(self) -> bool:
        return True

    @property
    def barriers(self) -> int:
        return 0  # it carries the input of a job that takes no checkpoints

    @property
    def has_end(self) -> bool:
        return self.ended

    def waiting_barriers(self) -> list[Barrier]:
        return []

    def queued(self) -> list[Element]:
        return []

    @property
    def has_data(self) -> bool:
        return bool(self._in_memory or self._on_disk or self._failure)

    @property
    def spilled_bytes(self) -> int:
        """What is in the file now."""
        return 0 if self._file is None else self._file.size_bytes

    def put(self, element: Element) -> None:
        """Append an element. Raises ``OutsideError`` when the disk is full."""
        if self._closed:
            raise ProtocolError(f"{element!r:.200} was put into a channel that is closed")
        if isinstance(element, EndOfInput):
            self.ended = True
        size = estimated_bytes(element)
        if self._fits(size):
            self._keep(size, element)
        else:
            self._spill(*self._encoder.encode(element))

    def put_frame(self, kind: int, payload: Payload) -> None:
        """Append an element in the form in which it arrived. Raises ``OutsideError`` when the disk is full."""
        if kind == Kind.END_OF_INPUT:
            self.ended = True
        size = len(payload)
        if kind in BATCH_KINDS:
            self.received_bytes += size
        if self._fits(size):
            self._keep(size, (kind, payload))
        else:
            self._spill(kind, payload)

    def poll(self) -> Element | None:
        """The next element. Raises what :meth:`fail` was told."""
        if self._failure is not None:
            raise self._failure
        if self._in_memory:
            size, element = self._in_memory.popleft()
            if self._keeps:
                self._read_in_memory.append((size, element))
            else:
                self._used_bytes -= size
                self._memory.give_back(size)
            return decode(*element) if isinstance(element, tuple) else element
        if self._on_disk and self._file is not None:
            kind, offset, size = self._on_disk.popleft()
            payload = self._file.read(offset, size)
            if self._keeps:
                self._read_on_disk.append((kind, offset, size))
            elif not self._on_disk:
                self._release()
            return decode(kind, payload)
        return None

    def rewind(self) -> None:
        """Begin again with the first element; to be called only of a channel that keeps them."""
        self._in_memory.extendleft(reversed(self._read_in_memory))
        self._on_disk.extendleft(reversed(self._read_on_disk))
        self._read_in_memory.clear()
        self._read_on_disk.clear()

    def fail(self, error: OutsideError) -> None:
        """Let the consumer find this error; nothing that follows it would be complete."""
        self._failure = self._failure or error
        self.ended = True

    def close(self) -> None:
        self._closed = True

    def leave(self) -> None:
        """The reader reads no more; what is kept stays, for another one to read again."""
        if not self._keeps:
            self.discard()

    def discard(self) -> None:
        """Drop everything and close the file."""
        for elements in (self._in_memory, self._on_disk, self._read_in_memory, self._read_on_disk):
            elements.clear()
        self._memory.give_back(self._used_bytes)
        self._used_bytes = 0
        self._release()

    def _fits(self, size: int) -> bool:
        # Once something is on disk, all that follows has to go behind it.
        is_on_disk = self._on_disk or self._read_on_disk
        return not is_on_disk and self._memory.take(size)

    def _keep(self, size: int, element: Element | tuple[int, Payload]) -> None:
        self._in_memory.append((size, element))
        self._used_bytes += size

    def _spill(self, kind: int, payload: Payload) -> None:
        if self._file is None:
            self._file = SpillFile(self._directory)
        self._on_disk.append((kind, self._file.append(payload), len(payload)))

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class SpillFile:
    """A temporary file without a name: append blocks, read them anywhere.

    Every failure of the file system is an ``OutsideError`` that names the directory.
    """

    def __init__(self, directory: str | None = None) -> None:
        import tempfile

        self._directory = directory or tempfile.gettempdir()
        try:
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 - see close()
        except OSError as error:
            raise self._failed("made", error) from error
        self._written = 0
        self._pending: list[Payload] = []
        self._pending_bytes = 0

    @property
    def size_bytes(self) -> int:
        """What was appended so far."""
        return self._written + self._pending_bytes

    def append(self, block: Payload) -> int:
        """Write a block at the end; return where it begins."""
        offset = self.size_bytes
        self._pending.append(block)
        self._pending_bytes += len(block)
        if self._pending_bytes >= _WRITE_BYTES:
            self._flush()
        return offset

    def read(self, offset: int, size: int) -> bytes:
        """The ``size`` bytes from ``offset``."""
        if self._pending:
            self._flush()
        parts: list[bytes] = []
        try:
            while size:
                part = os.pread(self._file.fileno(), size, offset)
                if not part:
                    raise OSError(f"the file ends at byte {offset}, {size} bytes early")
                parts.append(part)
                offset += len(part)
                size -= len(part)
        except OSError as error:
            raise self._failed("read", error) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Give the disk space back."""
        self._pending.clear()
        self._file.close()

    def _flush(self) -> None:
        block = memoryview(self._pending[0] if len(self._pending) == 1 else b"".join(self._pending))
        try:
            while block:
                written = os.pwrite(self._file.fileno(), block, self._written)
                self._written += written
                self._pending_bytes -= written
                block = block[written:]
        except OSError as error:
            raise self._failed("written", error) from error
        self._pending.clear()

    def _failed(self, what: str, error: OSError) -> OutsideError:
        return OutsideError(
            f"a temporary file in {self._directory} cannot be {what}: {error.strerror or error}; "
            "make room there or choose another directory for temporary files"
        )


def estimated_bytes(element: Element) -> int:
    """About how much memory an element takes, from a sample of its records.

    >>> estimated_bytes(RowBatch([1] * 1000)) > 8_000
    True
    """
    if isinstance(element, ColumnBatch):
        return int(element.columns.nbytes) + 8 * len(element)
    if not isinstance(element, RowBatch) or not len(element):
        return 64
    size, fields = len(element), element.fields
    sample = slice(None, None, max(1, size // _SAMPLE))
    values = (
        element.values[sample] if fields is None else list(zip(*[f[sample] for f in fields], strict=True))
    )
    per_record = 8 + sum(map(_value_bytes, values)) // len(values)
    if element.timestamps is not None:
        per_record += 40
    if element.keyed_by is not None:
        per_record += 8  # most keys are parts of their values
    return per_record * size


def _value_bytes(value: Any) -> int:
    size = sys.getsizeof(value)
    if isinstance(value, (tuple, list)):
        return size + sum(map(sys.getsizeof, value))
    if isinstance(value, dict):
        return size + sum(map(sys.getsizeof, value.values()))
    fields = getattr(value, "__dict__", None)
    return size if fields is None else size + sys.getsizeof(fields) + sum(map(sys.getsizeof, fields.values()))
