"""Rows of a job that runs in the background, read by another thread than the one that drives the job."""

import threading
from typing import Any

import pytest

from penstock.dataflow.submission import submit
from penstock.datastream import StreamExecutionEnvironment
from penstock.deploy.local.executor import LocalExecutor, LocalJob
from penstock.deploy.local.in_process import InProcessPool
from penstock.deploy.local.processes import ProcessPool
from penstock.errors import JobFailed
from penstock.operators.collect import CollectSpec
from penstock.plan.compile import compile_graph

RECORDS = 60_000


def background_job(parallelism: int, function: Any = lambda value: value) -> LocalJob:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    stream = env.from_sequence(1, RECORDS).map(function)
    stream._environment.program.add(
        "Collect",
        CollectSpec("rows"),
        tuple(ref.edge() for ref in stream._refs),
        parallelism=1,
        fixed_parallelism=True,
    )
    graph = env.get_stream_graph()
    job = submit(graph, lambda written: LocalExecutor().submit(compile_graph(written)))
    assert isinstance(job, LocalJob)
    return job


@pytest.mark.parametrize(("parallelism", "pool"), [(1, InProcessPool), (2, ProcessPool)])
def test_only_the_thread_that_drives_the_job_talks_to_its_workers(
    parallelism: int, pool: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers: set[str] = set()
    send = pool.send  # type: ignore[attr-defined]

    def noted(self: Any, worker: Any, message: Any) -> None:
        callers.add(threading.current_thread().name)
        send(self, worker, message)

    monkeypatch.setattr(pool, "send", noted)
    job = background_job(parallelism)
    job.start_in_background()
    rows = sorted(row for batch in job.rows("rows") for row in batch)
    assert rows == list(range(1, RECORDS + 1))
    assert callers == {f"job {job.job_id}"}


def test_the_failure_of_a_background_job_reaches_whoever_reads_its_rows() -> None:
    job = background_job(1, lambda value: 1 // (value - 10))
    job.start_in_background()
    with pytest.raises(JobFailed, match="ZeroDivisionError"):
        list(job.rows("rows"))


def test_a_background_job_whose_driver_breaks_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def poll(self: InProcessPool, timeout_s: float) -> list[Any]:
        raise MemoryError("no room")

    job = background_job(1)
    monkeypatch.setattr(InProcessPool, "poll", poll)
    job.start_in_background()
    with pytest.raises(MemoryError, match="no room"):
        job.result(120)
    with pytest.raises(MemoryError, match="no room"):
        list(job.rows("rows"))
