"""What worker processes print, line by line on the program's own standard output and error."""

import os
import selectors
import socket
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import IO, Literal

KEPT_LINES = 50
_READ_BYTES = 256 * 1024
# A line that is longer is shown in pieces.
_LONGEST_LINE_BYTES = 1024 * 1024

StreamName = Literal["stdout", "stderr"]


@dataclass(slots=True, eq=False)
class _Pipe:
    worker: int
    stream: StreamName
    file: IO[bytes]
    rest: bytearray = field(default_factory=bytearray)
    ended: bool = False


class OutputRelay:
    """One thread that reads the pipes of all workers of a job, so that no worker ever waits for the user's program.

    Lines go to what ``sys.stdout`` and ``sys.stderr`` are at that moment, which a notebook or a test may have replaced. The
    thread ends by itself when all workers are gone, and knows nothing of the job, which may be forgotten before.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None
        self._pipes: list[_Pipe] = []
        self._open: dict[int, int] = {}
        self._ended: dict[int, threading.Event] = {}
        self._last_words: dict[int, deque[str]] = {}
        self._finishing = False
        self._runs = False
        self._lock = threading.Lock()
        self.failure: OSError | ValueError | None = None

    def add(self, worker: int, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        """Take over the pipes of a worker, or of another in its place; then :meth:`start`."""
        self._last_words[worker] = deque(maxlen=KEPT_LINES)
        self._ended[worker] = threading.Event()
        with self._lock:
            self._open[worker] = 2
        for stream, file in (("stdout", stdout), ("stderr", stderr)):
            os.set_blocking(file.fileno(), False)
            pipe = _Pipe(worker, "stdout" if stream == "stdout" else "stderr", file)
            self._pipes.append(pipe)
            self._selector.register(file, selectors.EVENT_READ, pipe)

    def start(self) -> None:
        """Start the thread, unless it runs."""
        with self._lock:
            if self._runs:
                self._waker.send(b"a")  # it waits for the pipes that there were
                return
            self._runs = True
        self._thread = threading.Thread(target=self._run, daemon=True, name="output of workers")
        self._thread.start()

    def last_words(self, worker: int, timeout_s: float) -> list[str]:
        """The last lines that a worker, which is dead, wrote to its standard error; waits until they were read."""
        self._ended[worker].wait(timeout_s)
        return list(self._last_words[worker])

    def forget(self, worker: int) -> None:
        """Nobody will ask for what a worker, which is dead, has said. Its pipes are kept while a process that it has left
        holds them open."""
        if not self._ended[worker].is_set():
            return
        self._pipes = [pipe for pipe in self._pipes if pipe.worker != worker]
        del self._last_words[worker], self._ended[worker]
        with self._lock:
            del self._open[worker]

    def finish(self) -> None:
        """After all workers are gone: show what is left in the pipes, end the thread, close the pipes."""
        if self._thread is not None:
            self._finishing = True
            self._waker.send(b"f")
            self._thread.join()
        for pipe in self._pipes:
            pipe.file.close()
        self._selector.close()
        self._wake.close()
        self._waker.close()

    # The thread

    def _run(self) -> None:
        while self._goes_on():
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._read(key.data)
                elif not self._finishing:
                    self._wake.recv(64)
            if self._finishing:
                break
        if not self._finishing:
            return  # there may be other workers later
        for key in list(self._selector.get_map().values()):
            # A process that user code has started may hold the pipe open for ever; what the worker wrote is in it now.
            if key.data is not None:
                while self._read(key.data):
                    pass
                self._end(key.data)

    def _goes_on(self) -> bool:
        with self._lock:
            self._runs = any(self._open.values())
            return self._runs

    def _read(self, pipe: _Pipe) -> bool:
        """Forward what is in a pipe; says whether there may be more."""
        try:
            chunk = os.read(pipe.file.fileno(), _READ_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._end(pipe)
            return False
        rest = pipe.rest
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) > _LONGEST_LINE_BYTES:
            end = len(rest)
        if end:
            self._forward(pipe, bytes(rest[:end]))
            del rest[:end]
        return True

    def _end(self, pipe: _Pipe) -> None:
        if pipe.ended:
            return
        pipe.ended = True
        self._selector.unregister(pipe.file)
        pipe.file.close()
        if pipe.rest:
            self._forward(pipe, bytes(pipe.rest) + b"\n")
            pipe.rest.clear()
        with self._lock:
            self._open[pipe.worker] -= 1
        if not self._open[pipe.worker]:
            self._ended[pipe.worker].set()

    def _forward(self, pipe: _Pipe, lines: bytes) -> None:
        text = lines.decode("utf-8", "backslashreplace")
        if pipe.stream == "stderr":
            self._last_words[pipe.worker].extend(text.splitlines())
        target = sys.stdout if pipe.stream == "stdout" else sys.stderr
        if target is None or self.failure is not None:
            return
        try:
            target.write(text)
            target.flush()
        except (OSError, ValueError) as error:
            # The program's output is closed. The pool sees it and fails the job; until then the workers must not block.
            self.failure = error
