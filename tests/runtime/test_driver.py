"""The driver around the coordinator: what it carries out, what it fails on, and what is left when the job is over."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.clock import SYSTEM_CLOCK, Clock, ManualClock
from penstock.connectors.collection.source import NumberSequenceSource
from penstock.contracts.accumulators import ListAccumulator
from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import MapFunction
from penstock.contracts.source import SplitEnumerator, SplitEnumeratorContext
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.dataflow.job import ChainedOperator, JobGraph
from penstock.dataflow.recovery import SavepointWish
from penstock.dataflow.submission import JobStatus
from penstock.deploy.local.in_process import InProcessPool
from penstock.errors import JobCancelled, JobFailed, OutsideError, UserCodeError
from penstock.ids import WorkerIndex
from penstock.operators.collect import CollectSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.source import SourceSpec
from penstock.runtime.job import driver as driver_module
from penstock.runtime.job.driver import JobDriver
from penstock.runtime.messages import (
    FromWorker,
    ReportMetrics,
    StopTasks,
    TasksDeployed,
    TasksOpened,
    ToWorker,
    WorkerRegistered,
)
from penstock.testing import ScriptedSource
from tests.runtime.graphs import deployment_of, line_of, vertex


def graph_of(*operators: Any, source: Any = None) -> JobGraph:
    """One vertex: a source of the numbers 1 to 3 and row functions chained behind it, then a collecting sink."""
    head = SourceSpec(source or NumberSequenceSource(1, 3), WatermarkStrategy.no_watermarks())
    specs = [
        head,
        *(RowChainSpec((RowStep("map", each, f"map {i}"),)) for i, each in enumerate(operators)),
        CollectSpec("out"),
    ]
    chained = tuple(
        ChainedOperator(f"{i:032}", f"operator {i}", spec, input_index=None if i == 0 else i - 1)
        for i, spec in enumerate(specs)
    )
    return JobGraph("test", (replace(vertex(0, head), operators=chained),), (), False)


class Run:
    """A job driven to its end, with the statuses that it went through."""

    def __init__(self, graph: JobGraph, pool: Any = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self.statuses: list[JobStatus] = []
        self.driver = JobDriver(deployment_of(graph), pool or InProcessPool(ManualClock()), clock)
        self.driver.on_status = self.statuses.append
        self.driver.begin()

    def to_the_end(self) -> "Run":
        for _ in range(1_000):
            if self.driver.done:
                return self
            self.driver.step(0.0)
        raise AssertionError(f"the job does not end; it is {self.driver.status}")

    @property
    def rows(self) -> list[Any]:
        return [row for rows in self.driver.take_rows("out") for row in rows]


def test_a_job_runs_to_its_end_and_hands_out_its_rows_and_result() -> None:
    run = Run(graph_of(lambda x: x * 10)).to_the_end()
    assert run.statuses == [JobStatus.RUNNING, JobStatus.FINISHED]
    assert run.rows == [10, 20, 30]
    assert run.driver.result().get_metrics()["operator 1.0.numRecordsOut"] == 3


def test_a_failing_function_fails_the_job_with_the_first_cause() -> None:
    run = Run(graph_of(lambda x: 1 // 0)).to_the_end()
    assert run.statuses == [JobStatus.RUNNING, JobStatus.FAILING, JobStatus.FAILED]
    with pytest.raises(JobFailed, match="ZeroDivisionError") as raised:
        run.driver.result()
    assert isinstance(raised.value.__cause__, UserCodeError)


def test_a_cancelled_job_says_so() -> None:
    run = Run(graph_of())
    run.driver.request_cancel()
    run.to_the_end()
    assert run.driver.status is JobStatus.CANCELED
    with pytest.raises(JobCancelled):
        run.driver.result()


class FailingSource(NumberSequenceSource):
    """Its enumerator raises where it is told to."""

    def __init__(self, where: str) -> None:
        super().__init__(1, 3)
        self._where = where

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        self.fail_at("create")
        enumerator = super().create_enumerator(context)
        for method in ("start", "add_reader", "handle_split_request"):
            self._arm(enumerator, method)
        return enumerator

    def _arm(self, enumerator: SplitEnumerator, method: str) -> None:
        original: Callable[..., Any] = getattr(enumerator, method)

        def armed(*args: Any) -> Any:
            self.fail_at(method)
            return original(*args)

        setattr(enumerator, method, armed)

    def fail_at(self, where: str) -> None:
        if where == self._where:
            raise OSError(f"no luck in {where}")


@pytest.mark.parametrize("where", ["create", "start", "add_reader", "handle_split_request"])
def test_an_enumerator_that_fails_fails_the_job_and_is_named(where: str) -> None:
    run = Run(graph_of(source=FailingSource(where))).to_the_end()
    assert run.statuses == [JobStatus.RUNNING, JobStatus.FAILING, JobStatus.FAILED]
    with pytest.raises(JobFailed, match=f"no luck in {where}") as raised:
        run.driver.result()
    assert "in the split enumerator of 'operator 0'" in str(raised.value)


class Opening(MapFunction):
    """Fails when it is opened."""

    def open(self, runtime_context: RuntimeContext) -> None:
        raise OSError("cannot open")

    def map(self, value: Any) -> Any:
        return value


def test_a_function_that_cannot_be_opened_fails_the_job_and_no_task_is_stepped() -> None:
    run = Run(graph_of(Opening())).to_the_end()
    with pytest.raises(JobFailed, match="cannot open"):
        run.driver.result()
    assert run.rows == []


class Listing(MapFunction):
    """Adds every value to an accumulator."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self.seen = ListAccumulator()
        runtime_context.add_accumulator("seen", self.seen)

    def map(self, value: Any) -> Any:
        self.seen.add(value)
        return value


def test_accumulators_of_one_name_are_merged_once_however_often_they_are_reported() -> None:
    pool = InProcessPool(ManualClock())
    run = Run(graph_of(Listing(), Listing()), pool)
    while not run.driver.done:
        run.driver.step(0.0)
        if run.driver.status is JobStatus.RUNNING:
            for _ in range(3):
                pool.send(WorkerIndex(0), ReportMetrics())
            run.driver.step(0.0)
    assert sorted(run.driver.result().get_accumulator_result("seen")) == [1, 1, 2, 2, 3, 3]


class StubbornPool:
    """Two workers that register, deploy and open, and then never say a word."""

    def __init__(self) -> None:
        self.sent: list[tuple[WorkerIndex, ToWorker]] = []
        self.events: list[FromWorker] = []
        self.stopped_with: float | None = None

    def start(self, workers: Sequence[WorkerIndex]) -> None:
        self.events += [WorkerRegistered(worker, ("here", worker)) for worker in workers]
        self.events += [TasksDeployed(worker) for worker in workers]
        self.events += [TasksOpened(worker) for worker in workers]

    def kill(self, workers: Sequence[WorkerIndex]) -> None:
        raise AssertionError(f"{workers} are to be killed")

    def send(self, worker: WorkerIndex, message: ToWorker) -> None:
        self.sent.append((worker, message))

    def poll(self, timeout_s: float) -> list[FromWorker]:
        events, self.events = self.events, []
        return events

    def wake_up(self) -> None:
        pass

    def stop(self, grace_s: float) -> None:
        self.stopped_with = grace_s


def test_workers_that_do_not_stop_are_given_up_after_a_time_of_grace() -> None:
    clock = ManualClock()
    pool = StubbornPool()
    run = Run(line_of(2, 2), pool, clock)
    run.driver.step(0.0)
    run.driver.request_cancel()
    run.driver.step(0.0)
    assert [message for _, message in pool.sent[-2:]] == [StopTasks(), StopTasks()]
    clock.advance(round(driver_module.STOP_GRACE_S * 1000) - 100)
    run.driver.step(0.0)
    assert not run.driver.done
    clock.advance(200)
    run.driver.step(0.0)
    assert run.driver.done
    assert pool.stopped_with == driver_module.STOP_GRACE_S
    assert run.statuses == [JobStatus.RUNNING, JobStatus.CANCELLING, JobStatus.CANCELED]


def test_a_job_that_is_done_takes_no_harm_from_another_step_or_cancellation() -> None:
    run = Run(graph_of()).to_the_end()
    run.driver.request_cancel()
    run.driver.step(0.0)
    assert run.driver.result().get_job_id() == run.driver.job_id


def test_a_savepoint_that_is_asked_for_before_the_job_runs_is_taken_as_soon_as_it_does(
    tmp_path: Path,
) -> None:
    run = Run(graph_of(source=ScriptedSource([1, 2, 3], bounded=False)))
    assert run.driver.status is JobStatus.CREATED
    savepoint = run.driver.request_savepoint(SavepointWish(str(tmp_path), cancels=True))
    while not run.driver.done:
        run.driver.step()
    assert (Path(savepoint.result(timeout=0)) / "_metadata").is_file()


def test_a_savepoint_that_ends_the_job_is_answered_when_nothing_is_left_of_it(tmp_path: Path) -> None:
    run = Run(graph_of(source=ScriptedSource([1, 2, 3], bounded=False)))
    savepoint = run.driver.request_savepoint(SavepointWish(str(tmp_path), stops=True))
    done_when_answered: list[bool] = []
    savepoint.add_done_callback(lambda _: done_when_answered.append(run.driver.done))
    while not run.driver.done:
        run.driver.step()
    assert done_when_answered == [True]
    assert (Path(savepoint.result(timeout=0)) / "_metadata").is_file()


def test_a_savepoint_of_a_job_that_never_runs_is_refused(tmp_path: Path) -> None:
    run = Run(graph_of())
    savepoint = run.driver.request_savepoint(SavepointWish(str(tmp_path)))
    run.driver.request_cancel()
    run.to_the_end()
    with pytest.raises(OutsideError, match="CANCELED"):
        savepoint.result(timeout=0)
