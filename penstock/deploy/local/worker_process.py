"""The program of a worker process: ``python -m penstock.deploy.local.worker_process``, started by ``ProcessPool`` alone."""

import io
import os
import socket
import sys
from typing import Any

from penstock.deploy.local.control_link import ControlLink
from penstock.deploy.local.lifeline import Birth, learn
from penstock.errors import NotSerializable, PenstockError
from penstock.ids import WorkerIndex
from penstock.network.exchange import DataPlane, NetworkOptions
from penstock.network.handshake import Handshake, Role, shake_hands
from penstock.network.tls import secured
from penstock.runtime.messages import FromWorker, MetricsReport, SubtaskFailed, WorkerRegistered
from penstock.runtime.worker.garbage import job_started
from penstock.runtime.worker.worker import LONGEST_WAIT_S, Worker

HANDSHAKE_TIMEOUT_S = 30.0
GOODBYE_S = 0.3
# Sockets are looked at after so many turns while there is more to do; a turn is a batch for each task.
TURNS_PER_LOOK = 4
# Above it the tasks wait until the coordinator has read; what the tasks themselves report is small.
MAX_BACKLOG_BYTES = 64 << 20


class WorkerLoop:
    """Runs one ``Worker`` between its control connection and its data plane until the control connection ends."""

    def __init__(self, birth: Birth) -> None:
        index = WorkerIndex(birth.index)
        self._index = index
        self._worker = worker = Worker(index)
        plain = socket.create_connection((birth.host, birth.port), HANDSHAKE_TIMEOUT_S)
        sock = secured(plain, birth.tls, server=False)
        shake_hands(sock, Handshake(Role.CALLER, birth.secret, index), HANDSHAKE_TIMEOUT_S)
        self._link = ControlLink(sock, worker.selector, self._take, self._dismissed)
        network = NetworkOptions(birth.bind_host, birth.data_host, birth.tls)
        worker.make_data_plane = lambda: DataPlane(
            worker.selector, index, birth.secret, worker.peer_lost, network
        )
        worker.data_plane = worker.make_data_plane()
        self._parent = None if birth.metrics is None else self._link_to_parent(birth.metrics)
        self._is_dismissed = False

    def _link_to_parent(self, descriptor: int) -> ControlLink:
        """The way to reporters of the parent; nothing comes back over it."""
        os.set_inheritable(descriptor, False)
        end = socket.socket(fileno=descriptor)
        return ControlLink(end, self._worker.selector, lambda _: None, lambda _: None)

    def run(self) -> None:
        """Work until the coordinator hangs up."""
        worker = self._worker
        assert worker.data_plane is not None
        self._report(WorkerRegistered(self._index, worker.data_plane.address))
        while not self._is_dismissed:
            more = False
            if self._link.pending_bytes <= MAX_BACKLOG_BYTES:
                for _ in range(TURNS_PER_LOOK):
                    more = worker.turn()
                    if not more or worker.outbox:
                        break
            self._empty_outbox()
            worker.wait(0.0 if more else LONGEST_WAIT_S)
            self._empty_outbox()
        # The job is over, so nobody waits for what might still be on its way between the workers.
        worker.data_plane.close(GOODBYE_S)
        worker.close()

    def _take(self, message: Any) -> None:
        if isinstance(message, PenstockError):
            self._report(SubtaskFailed(self._index, None, message))
        else:
            self._worker.handle(message)

    def _dismissed(self, _reason: str) -> None:
        self._is_dismissed = True

    def _empty_outbox(self) -> None:
        outbox = self._worker.outbox
        if outbox:
            while outbox:
                message = outbox.popleft()
                self._queue(message)
                if isinstance(message, MetricsReport):
                    self._tell_parent()
            self._link.write()

    def _tell_parent(self) -> None:
        """Have reporters know what was just read; left out where the parent has not read what was told before."""
        if self._parent is not None and not self._parent.pending_bytes:
            self._parent.send(self._worker.readings())
            self._parent.write()

    def _report(self, message: FromWorker) -> None:
        self._queue(message)
        self._link.write()

    def _queue(self, message: FromWorker) -> None:
        try:
            self._link.send(message)
        except NotSerializable as error:
            self._link.send(SubtaskFailed(self._index, None, error))


def main() -> None:
    """The whole life of a worker process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Line by line, so that what user code has printed is seen although the process is killed.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    job_started()
    birth = learn()
    if birth.logging is not None:
        from penstock.logs.shipped import configure_worker

        configure_worker(birth.logging)
    WorkerLoop(birth).run()
    _leave()


def _leave() -> None:
    """End the process as Python would, but without waiting for threads that user code has left running."""
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:  # by user code
            stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
