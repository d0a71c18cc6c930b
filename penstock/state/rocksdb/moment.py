"""The state at a barrier. What had changed until then is frozen, and written to the database by whoever comes first:
the thread that writes the checkpoint, or the task, when it has to write something later.

Until all of it is written, nothing newer reaches the database. Then, and before anything newer, the database is looked at:
cursors are made that show this moment for as long as they are kept.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from penstock.errors import StateError

Batch = tuple[list[bytes], list[bytes], list[bytes]]
"""Places, what is to be stored there, and places to be emptied."""

ENTRIES_PER_BATCH = 4096
"""What is written at a time, while whoever else wants to write waits: some 15 ms."""


class Moment:
    """One barrier. Any thread may call anything."""

    def __init__(
        self, batches: Iterator[Batch], write: Callable[[Batch], None], look: Callable[[], Any]
    ) -> None:
        """``look`` is called once when all batches are written, if somebody still wants what it returns."""
        self._batches = batches
        self._write = write
        self._look = look
        self._lock = threading.RLock()
        self._failure: Exception | None = None
        self._seen: Any = None
        self.is_complete = False
        self.is_released = False

    def complete(self) -> None:
        """Write what is left. Raises what went wrong, now or before: the database lacks something from then on."""
        while not self.is_complete:
            self.step()

    def step(self) -> None:
        """Write one more batch."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self.is_complete:
                return
            try:
                batch = next(self._batches, None)
                if batch is not None:
                    self._write(batch)
                    return
                if not self.is_released:
                    self._seen = self._look()
            except Exception as error:
                self._failure = error
                raise
            self.is_complete = True

    def rest(self) -> Iterator[Batch]:
        """What is still to be written, which the caller takes over; nothing is left for this moment to do."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            batches, self._batches = self._batches, iter(())
            self.is_complete = True
            return batches

    def seen(self) -> Any:
        """What the database looked like, after everything has been written that was still to be; None once released."""
        self.complete()
        return self._seen

    def release(self) -> None:
        """Nobody wants to see this moment any more."""
        with self._lock:
            self.is_released = True
            self._seen = None


class MomentView:
    """What a snapshot holds of a moment. When it is released, or nobody has it any more, the database is let go."""

    def __init__(self, moment: Moment, let_go: Callable[[], None]) -> None:
        self._moment = moment
        self._let_go: Callable[[], None] | None = let_go

    def seen(self, whose: str) -> Any:
        """See :meth:`Moment.seen`; raises ``StateError`` when this has been released."""
        seen = None if self._let_go is None else self._moment.seen()
        if seen is None:
            raise StateError(f"the snapshot of {whose} has been released and cannot be read any more")
        return seen

    def release(self) -> None:
        """May be called more than once, from any thread."""
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            self._moment.release()
            let_go()

    def __del__(self) -> None:
        self.release()
