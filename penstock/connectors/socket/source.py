"""A source of the lines that a server sends."""

import codecs
import socket
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from penstock.connectors.splits import SplitQueue
from penstock.contracts.effects import Effect
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.errors import OutsideError, ProgramError

RECEIVE_BYTES = 64 * 1024
RETRY_DELAY_MS = 500
CONNECT_TIMEOUT_S = 30.0


class SocketTextSource(Source):
    """Connects to a server and emits what it sends, cut at each delimiter; for development, as nothing is sent twice.

    The stream ends when the server closes the connection and ``max_retries`` reconnections are used up (negative: never).
    What stands behind the last delimiter is the last record; over a reconnection it is joined with what comes next. Bytes
    that are not UTF-8 become U+FFFD. Read by one subtask. At-most-once: what was sent before a restart is not sent again.

    >>> SocketTextSource("localhost", 9999).display_name()
    'Socket Stream'
    """

    checks_types = True

    effect = Effect.NONE

    def __init__(self, host: str, port: int, delimiter: str = "\n", max_retries: int = 0) -> None:
        if not isinstance(host, str) or not host:
            raise ProgramError(f"a host is a name or an address, not {host!r}")
        if type(port) is not int or not 0 < port < 65536:
            raise ProgramError(f"a port is a number from 1 to 65535, not {port!r}")
        if not isinstance(delimiter, str) or not delimiter:
            raise ProgramError(f"a delimiter is text and not empty, not {delimiter!r}")
        if type(max_retries) is not int:
            raise ProgramError(f"max_retries is a number, not {max_retries!r}")
        self._split = SocketSplit(host, port)
        self._delimiter = delimiter
        self._max_retries = max_retries

    def get_boundedness(self) -> Boundedness:
        return Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return SplitQueue(context, [self._split])

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _SocketReader(context, _Records(self._delimiter), self._max_retries)

    def display_name(self) -> str:
        return "Socket Stream"


@dataclass(frozen=True, slots=True)
class SocketSplit:
    """The server."""

    host: str
    port: int

    def split_id(self) -> str:
        return f"{self.host}:{self.port}"


class _Records:
    """Cuts what arrives into records; keeps what stands behind the last delimiter."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: list[str] = []

    def add(self, data: bytes) -> list[str]:
        text = self._decoder.decode(data)
        if len(self._delimiter) == 1 and self._delimiter not in text:
            # A long record in many pieces is put together once.
            self._kept.append(text)
            return []
        records = ("".join(self._kept) + text).split(self._delimiter)
        self._kept = [records.pop()]
        if self._delimiter == "\n":
            records = [record.removesuffix("\r") for record in records]
        return records

    def rest(self) -> list[str]:
        """The unfinished record at the end, if there is one."""
        last = "".join(self._kept) + self._decoder.decode(b"", True)
        self._kept = []
        return [last] if last else []


class _SocketReader(SourceReader):
    def __init__(self, context: SourceReaderContext, records: _Records, max_retries: int) -> None:
        self._context = context
        self._clock = context.clock()
        self._records = records
        self._retries_left = max_retries
        self._split: SocketSplit | None = None
        self._no_more_splits = False
        self._attempt: _Attempt | None = None
        self._socket: socket.socket | None = None
        self._lost: socket.socket | None = None
        self._was_connected = False
        self._broken_by: OSError | None = None
        self._retry_at_ms: int | None = None

    def start(self) -> None:
        if self._split is None:
            self._context.send_split_request()

    def add_splits(self, splits: list[Any]) -> None:
        (self._split,) = splits

    def notify_no_more_splits(self) -> None:
        self._no_more_splits = True

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return [] if self._split is None else [self._split]

    def wait_ms(self) -> int | None:
        if self._retry_at_ms is None:
            return None
        return max(0, self._retry_at_ms - self._clock.now_ms())

    def fileno(self) -> int | None:
        return None if self._socket is None else self._socket.fileno()

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._split is None:
            return InputStatus.END_OF_INPUT if self._no_more_splits else InputStatus.NOTHING_AVAILABLE
        if self._socket is None:
            return self._connect(self._split, output)
        try:
            data = self._socket.recv(RECEIVE_BYTES)
        except (BlockingIOError, InterruptedError):
            return InputStatus.NOTHING_AVAILABLE
        except OSError as error:
            self._broken_by = error
            return self._lose(self._split, error, output)
        if not data:
            self._broken_by = None
            return self._lose(self._split, None, output)
        records = self._records.add(data)
        if records:
            output.collect_batch(records)
        return InputStatus.MORE_AVAILABLE

    def _connect(self, split: SocketSplit, output: ReaderOutput) -> InputStatus:
        if self._retry_at_ms is not None and self._clock.now_ms() < self._retry_at_ms:
            return InputStatus.NOTHING_AVAILABLE
        self._retry_at_ms = None
        if self._attempt is None:
            self._attempt = _Attempt(split, self._context)
        attempt = self._attempt
        if attempt.error is not None:
            self._attempt = None
            return self._lose(split, attempt.error, output)
        if attempt.socket is None:
            return InputStatus.NOTHING_AVAILABLE
        self._attempt = None
        self._socket = attempt.socket
        self._was_connected = True
        self._forget_lost()
        return InputStatus.MORE_AVAILABLE

    def _lose(self, split: SocketSplit, error: OSError | None, output: ReaderOutput) -> InputStatus:
        if self._socket is not None:
            # Kept until the next connection is there, so that the new one has another descriptor to wait for.
            self._lost, self._socket = self._socket, None
        if self._retries_left:
            self._retries_left -= 1
            self._retry_at_ms = self._clock.now_ms() + RETRY_DELAY_MS
            return InputStatus.NOTHING_AVAILABLE
        if not self._was_connected:
            assert error is not None
            raise OutsideError(
                f"cannot connect to {split.split_id()}: {error.strerror or error}; start the server before the job, or "
                "set max_retries"
            ) from error
        if self._broken_by is not None:
            raise OutsideError(
                f"the connection to {split.split_id()} broke: {self._broken_by.strerror or self._broken_by}"
            ) from self._broken_by
        rest = self._records.rest()
        if rest:
            output.collect_batch(rest)
        return InputStatus.END_OF_INPUT

    def _forget_lost(self) -> None:
        if self._lost is not None:
            self._lost.close()
            self._lost = None

    def close(self) -> None:
        self._forget_lost()
        if self._attempt is not None:
            self._attempt.abandon()
            self._attempt = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Attempt:
    """Connects in a thread, as looking up a name and connecting may take long; wakes the reader when it knows."""

    def __init__(self, split: SocketSplit, context: SourceReaderContext) -> None:
        self.socket: socket.socket | None = None
        self.error: OSError | None = None
        self._abandoned = False
        self._lock = Lock()
        self._address = (split.host, split.port)
        self._wake_up = context.wake_up
        Thread(target=self._run, name=f"connect to {split.split_id()}", daemon=True).start()

    def _run(self) -> None:
        made = None
        try:
            made = socket.create_connection(self._address, CONNECT_TIMEOUT_S)
            made.setblocking(False)
        except (OSError, UnicodeError) as error:
            # UnicodeError: a name that cannot be looked up at all, such as one with an empty label.
            self.error = error if isinstance(error, OSError) else OSError(str(error))
        with self._lock:
            if self._abandoned:
                if made is not None:
                    made.close()
                return
            self.socket = made if self.error is None else None
        self._wake_up()

    def abandon(self) -> None:
        """Nobody wants the connection any more."""
        with self._lock:
            self._abandoned = True
            if self.socket is not None:
                self.socket.close()
