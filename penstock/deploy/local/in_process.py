"""The carrier of a job of parallelism 1: its one worker is the user's own process and thread."""

from collections import deque

from penstock.clock import SYSTEM_CLOCK, Clock, monotonic
from penstock.errors import ProtocolError
from penstock.ids import WorkerIndex
from penstock.runtime.messages import FromWorker, MetricsReport, ToWorker, WorkerRegistered
from penstock.runtime.worker.garbage import job_ended, job_started
from penstock.runtime.worker.worker import Worker

TURNS_PER_POLL = 64
# A turn may be long, as that of a generator that waits for its next record: whoever asks for metrics or cancels must not
# wait for 64 of them.
LONGEST_POLL_S = 0.1


class InProcessPool:
    """One worker that is stepped by :meth:`poll`. Nothing is pickled, no thread and no process is started.

    ``is_idle``: the last :meth:`poll` found nothing to do, and nothing was sent since.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._worker = Worker(WorkerIndex(0), clock)
        self._events: deque[FromWorker] = deque()
        self._runs = False
        self.is_idle = False

    def start(self, count: int) -> None:
        if count != 1:
            raise ProtocolError(f"the own process is one worker, and {count} were asked for")
        job_started()
        self._runs = True
        self._events.append(WorkerRegistered(WorkerIndex(0), None))

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        self.is_idle = False
        self._worker.handle(message)

    def poll(self, timeout_s: float) -> list[FromWorker]:
        worker = self._worker
        self.is_idle = False
        if not self._events and not worker.outbox:
            until = monotonic() + LONGEST_POLL_S
            for _ in range(TURNS_PER_POLL):
                if not worker.turn():
                    self.is_idle = not worker.outbox
                    if not worker.outbox and timeout_s > 0:
                        worker.wait(timeout_s)
                    break
                if worker.outbox or monotonic() >= until:
                    break
        events = [*self._events, *worker.outbox]
        self._events.clear()
        worker.outbox.clear()
        return events

    def wake_up(self) -> None:
        self._worker.wake_up()

    def stop(self, grace_s: float) -> None:
        self._events.append(MetricsReport(WorkerIndex(0), self._worker.read_metrics()))
        self._worker.close()
        if self._runs:
            self._runs = False
            job_ended()
