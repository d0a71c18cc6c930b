"""Runs jobs on this machine: in the user's own process at parallelism 1, in worker processes above."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics, Recovery, SavepointWish
from penstock.dataflow.submission import JobExecutionResult, JobStatus
from penstock.errors import PenstockError, ProgramError
from penstock.ids import JobID, SubtaskId
from penstock.runtime.job.attempts import Attempts
from penstock.runtime.job.driver import JobDriver, may_restart
from penstock.runtime.job.start import KeptCheckpoints, find_start, from_start
from penstock.runtime.messages import Deployment
from penstock.runtime.placement import placed_together
from penstock.runtime.scheduling.worker_pool import WorkerPool
from penstock.runtime.short_turns import short_turns

if TYPE_CHECKING:
    from concurrent.futures import Future

    from penstock.checkpoint.events import CompletedCheckpoint
    from penstock.deploy.local.reporters import LocalReporters
    from penstock.runtime.job.ended import EndedDriver

_OF_REPORTERS = ("metrics.reporter", "traces.reporter")
_log = logging.getLogger(__name__)


class LocalExecutor:
    """The executor ``local``."""

    def submit(self, graph: JobGraph) -> "LocalJob":
        """Take over a job; nothing runs yet."""
        start = find_start(graph)
        deployment = Deployment(JobID.random(), 0, start.graph, placed_together(start.graph))
        driver = JobDriver(deployment, _pool(deployment), succession=from_start(start.checkpoint))
        reporters = _find_reporters(driver, deployment)
        return LocalJob(driver, deployment.workers == 1 and _runs_coroutines(graph), reporters)


def _find_reporters(driver: JobDriver, deployment: Deployment) -> "LocalReporters | None":
    """The reporters that the job's options name; what makes them is loaded only where there may be some."""
    if not any(key.startswith(_OF_REPORTERS) for key in deployment.graph.settings):
        return None
    from penstock.deploy.local.reporters import LocalReporters

    return LocalReporters(driver, deployment.graph, deployment.workers)


def _pool(deployment: Deployment) -> WorkerPool:
    if deployment.workers == 1:
        from penstock.deploy.local.in_process import InProcessPool

        return InProcessPool(restarts=may_restart(deployment.graph))
    from penstock.deploy.local.processes import ProcessPool

    return ProcessPool(deployment.graph)


def _runs_coroutines(graph: JobGraph) -> bool:
    return any(chained.spec.runs_coroutines for vertex in graph.vertices for chained in vertex.operators)


def _in_event_loop() -> bool:
    """Whether an asyncio event loop runs in this thread, as in a notebook; asyncio is not imported to find out."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class LocalJob:
    """A job that whoever asks for its result drives, or a thread of its own after ``start_in_background``.

    ``needs_event_loop``: where one runs already in the thread of whoever asks, the job moves to a thread of its own, too.
    ``reporters`` are told of it as long as it runs.
    """

    def __init__(
        self,
        driver: "JobDriver | EndedDriver",
        needs_event_loop: bool = False,
        reporters: "LocalReporters | None" = None,
    ) -> None:
        self._driver = driver
        self._reporters = reporters
        self._needs_event_loop = needs_event_loop
        self._has_moved = False
        self._begun = False
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._crash: BaseException | None = None

    @property
    def job_id(self) -> JobID:
        return self._driver.job_id

    @property
    def in_background(self) -> bool:
        return self._thread is not None

    def status(self) -> JobStatus:
        return self._driver.status

    def metrics(self) -> dict[str, Any]:
        return self._driver.metrics()

    def accumulators(self) -> dict[str, Any]:
        return self._driver.accumulators()

    def savepoint(self, wish: SavepointWish) -> "Future[str]":
        return self._driver.request_savepoint(wish)

    def checkpoints(self) -> list[CheckpointStatistics]:
        return self._driver.checkpoints()

    def recovery(self) -> Recovery:
        return self._driver.recovery()

    def take_rows(self, collector: str) -> Iterator[list[Any]]:
        """What a collecting sink has received so far, without waiting; any one thread may read."""
        for rows in self._driver.take_rows(collector):
            self._driver.wake_up()
            yield rows

    @property
    def rows_would_come_twice(self) -> bool:
        """Whether collecting sinks have given out rows, or do so now, that another that goes on would give out again."""
        rows = self._driver.rows
        runs = self.status() is JobStatus.RUNNING
        return rows.cannot_start_again() or (runs and not rows.go_with_checkpoints)

    @property
    def is_done(self) -> bool:
        """Whether the job is over and all its rows have come."""
        return self._driver.done

    def checkpoint(self) -> "Future[int]":
        """Ask for a checkpoint; its number, once it is complete."""
        return self._driver.request_checkpoint()

    def checkpoint_counts(self) -> dict[CheckpointState, int]:
        """How many checkpoints and savepoints have come to each state, of all there were."""
        return self._driver.checkpoint_counts()

    def subtask_accumulators(self) -> dict[SubtaskId, dict[str, Any]]:
        """The accumulators of each subtask, as it ended or was last reported."""
        return self._driver.subtask_accumulators()

    def finished_at_ms(self) -> dict[SubtaskId, int]:
        """The subtasks that have come to their end in this attempt, and when."""
        return self._driver.finished_at_ms()

    @property
    def attempts(self) -> Attempts:
        """The attempts of each subtask."""
        return self._driver.attempts

    def start_in_background(self) -> None:
        if self._begun:
            raise ProgramError(f"job {self.job_id} runs already")
        self._begun = True
        self._thread = threading.Thread(target=self._run_in_thread, daemon=True, name=f"job {self.job_id}")
        self._thread.start()

    def cancel(self) -> None:
        self._driver.request_cancel()

    def suspend(self) -> None:
        """Ask for an end after which another can go on from :meth:`latest_checkpoint`."""
        self._driver.request_suspension()

    def latest_checkpoint(self) -> "CompletedCheckpoint | None":
        """The checkpoint that the job would go back to now."""
        return self._driver.latest_checkpoint

    def kept_checkpoints(self) -> KeptCheckpoints:
        """What another could go on with."""
        return self._driver.kept_checkpoints

    @property
    def has_left(self) -> bool:
        """Whether it has ended so that another can go on where it was."""
        return self._driver.has_left

    def let_go(self) -> None:
        """Keep nothing of a job that is done but what is told of it."""
        from penstock.runtime.job.ended import EndedDriver

        if isinstance(self._driver, JobDriver) and self._driver.done:
            self._driver = EndedDriver.of(self._driver)

    def fail(self, error: PenstockError) -> None:
        """No other can go on after a driver that has left: the job has failed."""
        self.let_go()
        assert not isinstance(self._driver, JobDriver)
        self._driver = self._driver.as_failed(error)

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        self._make_way()
        if self._thread is not None:
            try:
                self._thread.join(timeout_s)
            except BaseException:
                self._abandon_moved()
                raise
            if self._thread.is_alive():
                raise TimeoutError(f"job {self.job_id} still runs after {timeout_s} s")
            return self._result()
        for _ in self._drive():
            pass
        return self._driver.result()

    def rows(self, collector: str) -> Iterator[list[Any]]:
        self._make_way()
        if self._thread is not None:
            try:
                yield from self._rows_of_thread(self._thread, collector)
            finally:
                self._abandon_moved()
        else:
            try:
                for _ in self._drive():
                    yield from self._driver.take_rows(collector)
                yield from self._driver.take_rows(collector)
            finally:
                self._abandon()
        self._result()

    def _result(self) -> JobExecutionResult:
        if self._crash is not None:
            raise self._crash
        return self._driver.result()

    def _drive(self) -> Iterator[None]:
        """Step the job in this thread until it is done; an interrupt cancels it and goes on."""
        if not self._begun:
            self._begun = True
            self._begin()
        try:
            while not self._driver.done:
                self._running.step()
                yield
        except BaseException:
            self._abandon()
            raise
        self._ended()

    @property
    def _running(self) -> JobDriver:
        driver = self._driver
        assert isinstance(driver, JobDriver)
        return driver

    def _make_way(self) -> None:
        """Leave the thread to the event loop that runs in it."""
        if self._needs_event_loop and not self._begun and _in_event_loop():
            self.start_in_background()
            self._has_moved = True

    def _abandon_moved(self) -> None:
        """The thread runs for the caller alone, who waits no longer."""
        if self._has_moved and self._thread is not None and self._thread.is_alive():
            self.cancel()
            self._thread.join()

    def _begin(self) -> None:
        if self._reporters is not None:
            self._reporters.start()
        self._running.begin()

    def _ended(self) -> None:
        if self._reporters is not None:
            self._reporters.close()
            self._reporters = None

    def _abandon(self) -> None:
        """Nobody will drive the job any further: cancel it and wait until nothing is left of it."""
        if not self._driver.done:
            self._driver.request_cancel()
            while not self._driver.done:
                self._running.step()
        self._ended()

    def _run_in_thread(self) -> None:
        try:
            with short_turns():  # the program goes on beside it, and imports, reads and asks
                self._drive_in_thread()
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            self._crash = error
            with suppress(BaseException):
                self._abandon()
        with self._changed:
            self._changed.notify_all()
        if self.status() is JobStatus.FAILED and not self._has_moved:
            self._log_failure()

    def _log_failure(self) -> None:
        """Say why the job has failed, as it may be that nobody asks for its result."""
        try:
            self._driver.result()
        except PenstockError as error:
            _log.error("%s", error)

    def _drive_in_thread(self) -> None:
        self._begin()
        while not self._driver.done:
            self._running.step()
            with self._changed:
                self._changed.notify_all()
        self._ended()

    def _rows_of_thread(self, thread: threading.Thread, collector: str) -> Iterator[list[Any]]:
        while True:
            done = self._driver.done
            for rows in self._driver.take_rows(collector):
                self._driver.wake_up()
                yield rows
            if done or not thread.is_alive():
                return
            with self._changed:
                self._changed.wait(0.1)
