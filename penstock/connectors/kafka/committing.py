"""Commits in threads of their own, so that a broker that is away does not stop the task."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from penstock.connectors.kafka.epochs import Epoch, WriterName, read_back
from penstock.connectors.kafka.transactions import EpochCommitter, TransactionalProducer
from penstock.contracts.sink import Committer
from penstock.errors import OutsideError

AT_ONCE: Final = 8
"""Commits that are under way at the same time: of several writers, whose epochs do not wait for each other."""

_log = logging.getLogger(__name__)


class CommitTry:
    """One try to commit one epoch. Made and asked by the task's thread."""

    def __init__(self, committer: EpochCommitter, epoch: Epoch, is_restored: bool) -> None:
        self.epoch = epoch
        self.written = 0
        """How many records it has written anew."""
        self._is_restored = is_restored
        self._committer = committer
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._is_abandoned = False
        self._producer: TransactionalProducer | None = None
        self._failure: Exception | None = None
        threading.Thread(target=self._run, name="kafka commit", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether it came to an end."""
        return self._is_over.is_set()

    def result(self) -> TransactionalProducer | None:
        """A producer that can be used again, if there is one.

        :raises OutsideError: what the commit failed with.
        """
        if self._failure is not None:
            raise self._failure
        return self._producer

    def abandon(self) -> None:
        """Let its producer go, now or when it comes to its end. Whoever commits the epoch after it fences it."""
        with self._lock:
            self._is_abandoned = True
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close()

    def _run(self) -> None:
        try:
            producer = self._committer.commit(self.epoch, self._is_restored, self._advance)
        except Exception as failure:  # noqa: BLE001  (handed to the task)
            self._failure = failure
        else:
            with self._lock:
                if not self._is_abandoned:
                    self._producer, producer = producer, None
            if producer is not None:
                producer.close()
        self._is_over.set()

    def _advance(self, count: int) -> None:
        self.written += count


class ExactlyOnceCommitter(Committer):
    """Commits the epochs of the writers; ``give_back`` takes the producers that can be used again."""

    def __init__(
        self, committer: EpochCommitter, give_back: Callable[[Epoch, TransactionalProducer], None]
    ) -> None:
        self._committer = committer
        self._give_back = give_back
        self._tries: dict[WriterName, CommitTry] = {}
        self._written = 0

    def commit(self, committables: list[Any]) -> list[Any]:
        return self._commit_all(committables, False)

    def recommit(self, committables: list[Any]) -> list[Any]:
        return self._commit_all([read_back(each) for each in committables], True)

    def progress(self) -> int:
        return self._written + sum(running.written for running in self._tries.values())

    def _commit_all(self, epochs: list[Epoch], are_restored: bool) -> list[Epoch]:
        left: list[Epoch] = []
        held: set[WriterName] = set()
        for epoch in epochs:
            # Those of one writer in their order only: a marker stands for all epochs before it.
            if epoch.writer in held or not self._is_committed(epoch, are_restored):
                held.add(epoch.writer)
                left.append(epoch)
        return left

    def _is_committed(self, epoch: Epoch, is_restored: bool) -> bool:
        running = self._tries.get(epoch.writer)
        if running is not None and running.epoch.identity != epoch.identity:
            running.abandon()
            del self._tries[epoch.writer]
            running = None
        if running is None:
            if len(self._tries) >= AT_ONCE:
                return False
            running = self._tries[epoch.writer] = CommitTry(self._committer, epoch, is_restored)
        if not running.is_over:
            return False  # the task goes on with its work, and looks again later
        del self._tries[epoch.writer]
        try:
            producer = running.result()
        except OutsideError as error:
            if not error.retryable:
                raise
            _log.warning("a commit is tried again: %s", error)
            return False
        self._written += running.written
        if producer is not None:
            self._give_back(epoch, producer)
        return True

    def close(self) -> None:
        for running in self._tries.values():
            running.abandon()
        self._tries.clear()
