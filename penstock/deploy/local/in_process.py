"""The carrier of a job of parallelism 1: its one worker is the user's own process and thread."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from penstock.clock import SYSTEM_CLOCK, Clock, monotonic
from penstock.dataflow.job import JobGraph
from penstock.deploy.local.graph_copying import copied_graph
from penstock.errors import ProtocolError
from penstock.ids import WorkerIndex
from penstock.runtime.background import Background, MakeBackground
from penstock.runtime.messages import Deploy, FromWorker, MetricsReport, ToWorker, WorkerRegistered
from penstock.runtime.worker.garbage import job_ended, job_started
from penstock.runtime.worker.worker import Worker

TURNS_PER_POLL = 64
# A turn may be long, as that of a generator that waits for its next record: whoever asks for metrics or cancels must not
# wait for 64 of them.
LONGEST_POLL_S = 0.1


class InProcessPool:
    """One worker that is stepped by :meth:`poll`. Nothing is pickled, no thread and no process is started.

    ``restarts``: the job may start again. Then its functions are copied before they first run, as far as they can be, so that
    another attempt does not begin with what the last one left in their attributes.
    ``is_idle``: the last :meth:`poll` found nothing to do, and nothing was sent since.
    """

    def __init__(
        self,
        clock: Clock = SYSTEM_CLOCK,
        restarts: bool = False,
        make_background: MakeBackground = Background,
    ) -> None:
        self._worker = Worker(WorkerIndex(0), clock, make_background)
        self._worker.lets_through = _ends_program
        self._restarts = restarts
        self._pristine: JobGraph | None = None
        self._events: deque[FromWorker] = deque()
        self._runs = False
        self.is_idle = False

    def start(self, workers: Sequence[WorkerIndex]) -> None:
        if list(workers) != [WorkerIndex(0)]:
            raise ProtocolError(f"the own process is one worker, and {list(workers)} were asked for")
        job_started()
        self._runs = True
        self._events.append(WorkerRegistered(WorkerIndex(0), None))

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        self.is_idle = False
        if isinstance(message, Deploy) and self._restarts:
            message = self._with_fresh_functions(message)
        self._worker.handle(message)

    def kill(self, workers: Sequence[WorkerIndex]) -> None:
        """It is the user's own process: it stops its tasks when it is told to, or user code does not return at all."""

    def _with_fresh_functions(self, deploy: Deploy) -> Deploy:
        if self._pristine is None:
            self._pristine = copied_graph(deploy.deployment.graph)
            return deploy
        graph = copied_graph(self._pristine)
        return replace(deploy, deployment=replace(deploy.deployment, graph=graph))

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


def _ends_program(error: BaseException) -> bool:
    """``sys.exit()`` and an interrupt end the program, but only from its main thread: of others nobody would hear of it."""
    ends = isinstance(error, (SystemExit, KeyboardInterrupt))
    return ends and threading.current_thread() is threading.main_thread()
