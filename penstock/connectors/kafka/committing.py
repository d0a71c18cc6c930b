"""Commits in threads of their own, so that a broker that is away does not stop the task."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from penstock.connectors.kafka.epochs import Epoch
from penstock.connectors.kafka.transactions import EpochCommitter, TransactionalProducer
from penstock.contracts.sink import Committer
from penstock.errors import OutsideError

_log = logging.getLogger(__name__)


class CommitTry:
    """One try to commit one epoch. Made and asked by the task's thread."""

    def __init__(self, committer: EpochCommitter, epoch: Epoch) -> None:
        self.epoch = epoch
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
            producer = self._committer.commit(self.epoch)
        except Exception as failure:  # noqa: BLE001  (handed to the task)
            self._failure = failure
        else:
            with self._lock:
                if not self._is_abandoned:
                    self._producer, producer = producer, None
            if producer is not None:
                producer.close()
        self._is_over.set()


class ExactlyOnceCommitter(Committer):
    """Commits the epochs of the writers; ``give_back`` takes the producers that can be used again."""

    def __init__(
        self, committer: EpochCommitter, give_back: Callable[[Epoch, TransactionalProducer], None]
    ) -> None:
        self._committer = committer
        self._give_back = give_back
        self._try: CommitTry | None = None

    def commit(self, committables: list[Any]) -> list[Any]:
        for index, epoch in enumerate(committables):
            try:
                is_committed = self._commit(epoch)
            except OutsideError as error:
                if not error.retryable:
                    raise
                _log.warning("a commit is tried again: %s", error)
                is_committed = False
            if not is_committed:
                return committables[index:]  # in their order only: a marker stands for all epochs before it
        return []

    def _commit(self, epoch: Epoch) -> bool:
        running = self._try
        if running is None or running.epoch.identity != epoch.identity:
            self.close()
            running = self._try = CommitTry(self._committer, epoch)
        if not running.is_over:
            return False  # the task goes on with its work, and looks again later
        self._try = None
        producer = running.result()
        if producer is not None:
            self._give_back(epoch, producer)
        return True

    def close(self) -> None:
        if self._try is not None:
            self._try.abandon()
            self._try = None
