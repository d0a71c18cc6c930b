"""The port through which a carrier gives workers to a job."""

from collections.abc import Sequence
from typing import Protocol

from penstock.ids import WorkerIndex
from penstock.runtime.messages import FromWorker, ToWorker


class WorkerPool(Protocol):
    """The workers of one job. The driver's thread calls it, and nobody else, but for :meth:`wake_up`."""

    def start(self, workers: Sequence[WorkerIndex]) -> None:
        """Start these workers, or others in their place; each answers with ``WorkerRegistered``, or ``WorkerDied``."""

    def kill(self, workers: Sequence[WorkerIndex]) -> None:
        """End these workers at once; ``WorkerDied`` tells of each that could be ended."""

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        """Send a message; to a worker that has died it goes nowhere."""

    def poll(self, timeout_s: float) -> list[FromWorker]:
        """What the workers sent, in order per worker; waits for at most ``timeout_s`` when there is nothing."""

    def wake_up(self) -> None:
        """End the wait in :meth:`poll`; may be called by any thread."""

    def stop(self, grace_s: float) -> None:
        """Stop all workers; those that are not gone after ``grace_s`` are killed. None is left when it returns."""
