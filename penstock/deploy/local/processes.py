"""The carrier of a job of parallelism above 1: worker processes on this machine."""

import selectors
import signal
import socket
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from penstock.chance import secret_token
from penstock.clock import monotonic
from penstock.dataflow.job import JobGraph
from penstock.deploy.local.control_link import ControlLink
from penstock.deploy.local.control_listener import ControlListener
from penstock.deploy.local.graph_shipping import ship_graph
from penstock.deploy.local.message_encoding import NO_GRAPH, ShippedDeploy
from penstock.deploy.local.output_relay import OutputRelay
from penstock.deploy.local.starting import Launcher, LocalLauncher, Started
from penstock.errors import OutsideError, PenstockError, ProtocolError, WorkerLost
from penstock.ids import SubtaskId, WorkerIndex
from penstock.runtime.messages import (
    Deploy,
    FromWorker,
    MetricsReport,
    ReportMetrics,
    StopTasks,
    SubtaskFailed,
    TasksStopped,
    ToWorker,
    WorkerDied,
)

LAST_METRICS_S = 1.0
LAST_WORDS_S = 0.5
TERMINATED_S = 0.5
# A worker that lost another one often says so before the operating system tells of its death, which says why.
WAIT_FOR_CAUSE_S = 1.0
NOBODY = WorkerIndex(-1)
STOP_GRACE_WORDS = "the time that was given"


@dataclass(slots=True, eq=False)
class _WorkerProcess:
    index: WorkerIndex
    started: Started
    register_before: float
    link: ControlLink | None = None
    gone: bool = False
    owes_metrics: bool = False
    owes_stops: int = 0


class ProcessPool:
    """Worker processes, each over a control connection of its own. ``launcher`` starts them: here, unless told otherwise.

    The graph is pickled at once, so that what cannot travel is known before anything was started.
    """

    def __init__(self, graph: JobGraph, launcher: Launcher | None = None) -> None:
        self._launcher: Launcher = launcher or LocalLauncher()
        self._unplaced: dict[WorkerIndex, float] = {}
        self._graph = graph
        self._shipped = ship_graph(graph)
        self._secret = secret_token()
        self._workers: dict[WorkerIndex, _WorkerProcess] = {}
        self._events: list[FromWorker] = []
        self._held: list[tuple[float, FromWorker, _WorkerProcess]] = []
        self._selector = selectors.DefaultSelector()
        self._relay = OutputRelay()
        self._output_failed = False
        self._stopping = False
        self._wake_lock = threading.Lock()
        self._wake: tuple[socket.socket, socket.socket] | None = socket.socketpair()
        for end in self._wake:
            end.setblocking(False)
        self._selector.register(self._wake[0], selectors.EVENT_READ, self._woken)
        self._listener: ControlListener | None = None
        self._processes: list[Started] = []

    # The port -----------------------------------------------------------------------------------------------------------

    def start(self, workers: Sequence[WorkerIndex]) -> None:
        if self._listener is None:
            self._listener = ControlListener(
                self._selector,
                self._secret,
                self._registered,
                self._launcher.host,
                tls=self._launcher.tls,
            )
            weakref.finalize(self, _let_go, self._processes)
        for index in workers:
            self._unplaced[index] = monotonic() + self._launcher.patience_s
        self._place()

    def _place(self) -> None:
        """Start what waits for a place, as far as there is one."""
        for index, deadline in list(self._unplaced.items()):
            if not self._start_worker(index):
                if monotonic() < deadline:
                    return
                self._events.append(WorkerDied(index, f"it found no place: {self._launcher.why_not()}"))
            del self._unplaced[index]

    def _start_worker(self, index: WorkerIndex) -> bool:
        assert self._listener is not None
        started = self._launcher.launch(index, self._listener.port, self._secret, self.wake_up)
        if started is None:
            return False
        if index in self._workers:
            self._forget(self._workers[index])
        self._processes.append(started)
        worker = _WorkerProcess(index, started, monotonic() + self._launcher.register_s)
        self._workers[index] = worker
        if started.pipes is not None:
            self._relay.add(index, *started.pipes)
            self._relay.start()
        if started.exit_descriptor is not None:
            self._selector.register(
                started.exit_descriptor, selectors.EVENT_READ, lambda _: self._check(worker)
            )
        return True

    def kill(self, workers: Sequence[WorkerIndex]) -> None:
        for index in workers:
            worker = self._workers.get(index)
            if worker is not None and not worker.gone:
                self._died(worker, f"it did not stop its tasks within {STOP_GRACE_WORDS}")

    def _forget(self, worker: _WorkerProcess) -> None:
        """Another process takes the place of one that has died."""
        worker.started.close()
        self._processes.remove(worker.started)

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        process = self._workers.get(worker)
        if process is None or process.link is None or process.gone:
            return
        match message:
            case ReportMetrics():
                if process.owes_metrics:
                    return  # it is busy; asking again would only fill its connection
                process.owes_metrics = True
            case StopTasks():
                process.owes_stops += 1
        process.link.send(self._shipped_form(message))
        process.link.write()

    def poll(self, timeout_s: float) -> list[FromWorker]:
        if not self._events and not self._stopping:
            self._wait(timeout_s)
        events, self._events = self._events, []
        return events

    def wake_up(self) -> None:
        with self._wake_lock:
            if self._wake is not None:
                with suppress(BlockingIOError):
                    self._wake[1].send(b"w")

    def stop(self, grace_s: float) -> None:
        if self._stopping:
            return
        self._stopping = True
        deadline = monotonic() + grace_s
        self._take_last_metrics(min(grace_s, LAST_METRICS_S))
        for worker in self._workers.values():
            unresponsive = worker.link is None or worker.owes_stops or worker.owes_metrics
            if worker.link is not None:
                worker.link.close()
            if unresponsive and not worker.gone:
                worker.started.signal(signal.SIGTERM)
        self._await_exits(deadline)
        for last, seconds in ((signal.SIGTERM, TERMINATED_S), (signal.SIGKILL, None)):
            for worker in self._workers.values():
                if not worker.gone:
                    worker.started.signal(last)
            self._await_exits(None if seconds is None else monotonic() + seconds)
        self._close()

    # What happens -------------------------------------------------------------------------------------------------------

    def _wait(self, timeout_s: float) -> None:
        now = monotonic()
        deadlines = [deadline for deadline, _, _ in self._held]
        deadlines += [w.register_before for w in self._workers.values() if w.link is None and not w.gone]
        deadlines += self._unplaced.values()
        if deadlines:
            timeout_s = max(0.0, min(timeout_s, min(deadlines) - now))
        for key, mask in self._selector.select(timeout_s):
            key.data(mask)
        self._look_after_workers()

    def _look_after_workers(self) -> None:
        now = monotonic()
        assert self._listener is not None
        self._listener.give_up_late()
        if self._unplaced and not self._stopping:
            self._place()
        for worker in self._workers.values():
            if worker.gone:
                continue
            if worker.started.exit_descriptor is None:
                self._check(worker)
            if not worker.gone and worker.link is None and worker.register_before <= now:
                self._died(worker, f"it did not report within {self._launcher.register_s:g} s of its start")
        self._events += [event for deadline, event, _ in self._held if deadline <= now]
        self._held = [held for held in self._held if held[0] > now]
        if self._relay.failure is not None and not self._output_failed:
            self._output_failed = True
            error = OutsideError(f"what the workers print cannot be written: {self._relay.failure}")
            self._events.append(SubtaskFailed(NOBODY, None, error))

    def _registered(self, index: int, sock: socket.socket) -> None:
        worker = self._workers.get(WorkerIndex(index))
        if worker is None or worker.link is not None or worker.gone:
            sock.close()
            return
        worker.link = ControlLink(
            sock,
            self._selector,
            lambda message: self._take(worker, message),
            lambda reason: self._hung_up(worker, reason),
        )

    def _take(self, worker: _WorkerProcess, message: Any) -> None:
        match message:
            case PenstockError():
                self._events.append(SubtaskFailed(worker.index, None, message))
            case SubtaskFailed(error=WorkerLost()):
                self._held.append((monotonic() + WAIT_FOR_CAUSE_S, message, worker))
            case MetricsReport():
                worker.owes_metrics = False
                self._events.append(message)
            case TasksStopped(_, _, subtasks):
                worker.owes_stops -= 1
                # What it had to complain of was of the attempt that is over now.
                self._held = [
                    held for held in self._held if not (held[2] is worker and _is_of(held[1], subtasks))
                ]
                self._events.append(message)
            case _:
                self._events.append(message)

    def _hung_up(self, worker: _WorkerProcess, reason: str) -> None:
        if not worker.gone:
            worker.started.wait_for_exit(LAST_WORDS_S)
            self._died(worker, f"its control connection broke: {reason}")

    def _check(self, worker: _WorkerProcess) -> None:
        """See whether the process has ended, and take what it said before."""
        if not worker.gone and worker.started.has_exited():
            if worker.link is not None:
                worker.link.read_rest()
            self._died(worker, "it ended")

    def _died(self, worker: _WorkerProcess, reason: str) -> None:
        if worker.gone:
            return
        worker.gone = True
        exited = worker.started.has_exited()
        worker.started.kill_group()
        worker.started.reap()
        if worker.started.exit_descriptor is not None:
            self._selector.unregister(worker.started.exit_descriptor)
        if worker.link is not None:
            worker.link.close()
        words = worker.started.last_words()
        if words is None:
            words = self._relay.last_words(worker.index, LAST_WORDS_S)
        said = "\n    ".join(["; the last lines of its standard error:", *words]) if words else ""
        how = worker.started.how_it_ended() if exited else reason
        self._events.append(WorkerDied(worker.index, how + said))
        self._events += [event for _, event, _ in self._held]
        self._held.clear()

    # The end ------------------------------------------------------------------------------------------------------------

    def _take_last_metrics(self, seconds: float) -> None:
        """Ask every worker that still answers for its metrics; rows and reports that come in are kept for ``poll``."""
        asked = [w for w in self._workers.values() if w.link is not None and not w.gone and not w.owes_stops]
        for worker in asked:
            worker.owes_metrics = False
            self.send(worker.index, ReportMetrics())
        deadline = monotonic() + seconds
        while any(worker.owes_metrics and not worker.gone for worker in asked):
            remaining = deadline - monotonic()
            if remaining <= 0:
                break
            self._wait(remaining)

    def _await_exits(self, deadline: float | None) -> None:
        for worker in self._workers.values():
            remaining = None if deadline is None else max(0.0, deadline - monotonic())
            if worker.started.wait_for_exit(remaining):
                worker.gone = True
                worker.started.kill_group()  # what user code has started in it and left running
                worker.started.reap()

    def _close(self) -> None:
        for worker in self._workers.values():
            worker.started.close()
        self._relay.finish()
        if self._listener is not None:
            self._listener.close()
        with self._wake_lock:
            assert self._wake is not None
            for end in self._wake:
                end.close()
            self._wake = None
        self._selector.close()

    # Small things -------------------------------------------------------------------------------------------------------

    def _shipped_form(self, message: ToWorker) -> object:
        match message:
            case Deploy(deployment, peers, subtasks):
                if deployment.graph is not self._graph:
                    raise ProtocolError("a pool of processes runs the graph that it was made for")
                return ShippedDeploy(replace(deployment, graph=NO_GRAPH), peers, self._shipped, subtasks)
        return message

    def _woken(self, _mask: int) -> None:
        assert self._wake is not None
        with suppress(BlockingIOError):
            self._wake[0].recv(4096)


def _is_of(message: FromWorker, subtasks: frozenset[SubtaskId] | None) -> bool:
    """Whether a failure is one of these subtasks, None for all."""
    return subtasks is None or (isinstance(message, SubtaskFailed) and message.subtask in subtasks)


def _let_go(processes: list[Started]) -> None:
    """The pool was forgotten or the program ends without having stopped it."""
    for started in processes:
        started.let_go()
