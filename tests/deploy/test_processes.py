"""The pool itself: who may connect, waking it, and what is left when it stops."""

import os
import socket
import threading

import pytest

from penstock.clock import monotonic
from penstock.dataflow.job import JobGraph
from penstock.deploy.local.processes import ProcessPool
from penstock.errors import ProtocolError
from penstock.ids import WorkerIndex
from penstock.network.handshake import Handshake, Role, shake_hands
from penstock.runtime.messages import FromWorker, MetricsReport, ReportMetrics, WorkerDied, WorkerRegistered
from tests.alone import in_a_process_of_its_own
from tests.deploy.programs import is_gone

NO_GRAPH = JobGraph("nothing", (), (), False)


def poll_until(pool: ProcessPool, count: int) -> list[FromWorker]:
    events: list[FromWorker] = []
    deadline = monotonic() + 120
    while len(events) < count:
        assert monotonic() < deadline, events
        events += pool.poll(1.0)
    return events


def ids_of(pool: ProcessPool) -> list[int]:
    return [worker.started.process.pid for worker in pool._workers.values()]


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@in_a_process_of_its_own
def test_workers_register_report_and_are_gone_after_stop_with_everything_of_the_pool() -> None:
    before = descriptors()
    threads = threading.active_count()
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0), WorkerIndex(1)])
    workers = ids_of(pool)
    registered = poll_until(pool, 2)
    assert {type(event) for event in registered} == {WorkerRegistered}
    assert {
        event.address[0] for event in registered if isinstance(event, WorkerRegistered) and event.address
    } == {"127.0.0.1"}
    pool.stop(5.0)
    reports = [event for event in pool.poll(0.0) if isinstance(event, MetricsReport)]
    assert sorted(report.worker for report in reports) == [0, 1]
    assert all(is_gone(pid) for pid in workers)
    assert descriptors() == before
    assert threading.active_count() == threads


def test_what_is_asked_of_a_stopped_pool_does_nothing() -> None:
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0)])
    pool.stop(5.0)
    pool.stop(5.0)
    pool.wake_up()
    pool.send(WorkerIndex(0), ReportMetrics())
    pool.poll(0.0)
    assert pool.poll(5.0) == []


def test_another_thread_can_end_the_wait() -> None:
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0)])
    poll_until(pool, 1)
    before = monotonic()
    waker = threading.Timer(0.05, pool.wake_up)
    waker.start()
    assert pool.poll(30.0) == []
    assert monotonic() - before < 20
    waker.join()
    pool.stop(5.0)


def test_a_caller_without_the_secret_is_refused_and_disturbs_nobody() -> None:
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0)])
    assert pool._listener is not None
    refused: list[Exception] = []

    def intrude() -> None:
        with socket.create_connection(("127.0.0.1", pool._listener.port)) as sock:  # type: ignore[union-attr]
            try:
                shake_hands(sock, Handshake(Role.CALLER, b"guessed", 0), 10.0)
                sock.recv(1)
            except ProtocolError as error:
                refused.append(error)

    intruder = threading.Thread(target=intrude)
    intruder.start()
    events: list[FromWorker] = []
    while intruder.is_alive() or not events:
        events += pool.poll(0.1)
    intruder.join()
    assert [type(event) for event in events] == [WorkerRegistered]
    assert "does not know the secret" in str(refused[0])
    pool.stop(5.0)


def test_a_worker_that_cannot_even_start_is_reported_with_what_python_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("penstock.deploy.local.starting.MODULE", "penstock.there_is_no_such_module")
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0)])
    (event,) = poll_until(pool, 1)
    assert isinstance(event, WorkerDied)
    assert "exit code 1" in event.reason
    assert "No module named penstock.there_is_no_such_module" in event.reason
    pool.stop(5.0)


def test_a_pool_that_is_forgotten_leaves_no_process() -> None:
    pool = ProcessPool(NO_GRAPH)
    pool.start([WorkerIndex(0), WorkerIndex(1)])
    workers = ids_of(pool)
    poll_until(pool, 2)
    del pool
    import gc

    gc.collect()
    assert all(is_gone(pid, within_s=60) for pid in workers)
