"""The bounded queue between a thread that makes records and the task's thread that emits them."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Any

from penstock.contracts.pace import BATCH_RECORDS

# Records that may wait. Enough for the maker to go on while Python lets the other thread run, which takes milliseconds.
BOUND_RECORDS = 4 * BATCH_RECORDS
STOP_WAIT_S = 2.0


class ReaderClosed(BaseException):
    """Unwinds the maker's thread once nobody reads any more; not an ``Exception``, so that user code lets it pass."""


class HandOver:
    """``put`` by one thread, everything else by the task's thread.

    Costs no lock per record: appending to a deque and taking from it are single steps of the interpreter.
    """

    def __init__(self, wake_up: Callable[[], None], bound: int = BOUND_RECORDS) -> None:
        self._wake_up = wake_up
        self._bound = bound
        self._items: deque[Any] = deque()
        self._announced = False
        self._closed = False
        self._unbounded = False
        self._maker_waits = False
        self._room = Condition()

    def put(self, item: Any) -> None:
        """Give an item, and wait while the queue is full. Raises :class:`ReaderClosed` once it was closed."""
        self.add(item)
        self.wait_for_room()

    def add(self, item: Any) -> None:
        """Give an item without waiting."""
        if self._closed:
            raise ReaderClosed
        self._items.append(item)
        if not self._announced:
            self._announced = True
            self._wake_up()

    def wait_for_room(self) -> None:
        """Wait while the queue is full."""
        if len(self._items) < self._bound:
            return
        with self._room:
            # Said before the queue is looked at again: `take` looks in the other order, so one of the two sees the other.
            self._maker_waits = True
            while len(self._items) >= self._bound and not (self._closed or self._unbounded):
                self._room.wait()
            self._maker_waits = False
        if self._closed:
            raise ReaderClosed

    def announce_end(self) -> None:
        """Have the task's thread look once more; the maker's last word."""
        if not self._closed:
            self._wake_up()

    def take(self) -> list[Any]:
        """A batch of what is there, in order; the empty list when nothing is."""
        self._announced = False
        items = self._items
        taken = [items.popleft() for _ in range(min(len(items), BATCH_RECORDS))]
        if self._maker_waits and len(items) < self._bound:
            self._tell_maker()
        return taken

    def __len__(self) -> int:
        return len(self._items)

    def pending(self) -> list[Any]:
        """A copy of what was not taken yet; the maker must not be adding meanwhile."""
        return list(self._items)

    @contextmanager
    def without_bound(self) -> Iterator[None]:
        """Inside, the maker never waits: it may hold a lock that the task's thread asks for."""
        self._unbounded = True
        self._tell_maker()
        try:
            yield
        finally:
            self._unbounded = False

    def close(self) -> None:
        """Nothing is taken any more; the maker's next ``put`` raises."""
        self._closed = True
        self._tell_maker()

    def _tell_maker(self) -> None:
        with self._room:
            self._room.notify_all()


class Maker:
    """The thread that makes records: runs ``work``, keeps what it raises, and tells when it is over."""

    def __init__(self, work: Callable[[], None], hand_over: HandOver, name: str) -> None:
        self._work = work
        self._hand_over = hand_over
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self.over = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except ReaderClosed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again in the task's thread
            self._error = error
        self.over = True
        self._hand_over.announce_end()

    def raise_error(self) -> None:
        """Raise what ``work`` raised, if it did."""
        if self._error is not None:
            raise self._error

    def stop(self, ask: Callable[[], None] | None = None) -> None:
        """Close the queue, ask the work to end, and wait a little; a thread that does not listen is left behind."""
        self._hand_over.close()
        try:
            if ask is not None and not self.over:
                ask()
        finally:
            self._thread.join(STOP_WAIT_S)
