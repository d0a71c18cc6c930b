"""``penstock run``: the program, and the jobs that it leaves running in the background."""

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from penstock.cli.attached_jobs import AttachedJob, DetachedJob, Expiry, keep_alive
from penstock.cli.carrying_out import FAILED, INTERRUPTED, Ending, carry_out, report
from penstock.cli.failures import describe
from penstock.cli.program import Program
from penstock.cli.settings import Settings
from penstock.dataflow.logical import LogicalGraph
from penstock.dataflow.submission import JobStatus, RunningJob, Submit
from penstock.errors import JobCancelled, PenstockError

NO_JOB = "Warning: the program has defined no job; is there a call of execute() on its environment?"


def run_program(
    program: Program,
    settings: Settings,
    detached: bool = False,
    before_job: Callable[[LogicalGraph], None] | None = None,
) -> int:
    """Run a program and wait for its jobs; gives the exit code. ``before_job`` sees each of them before it is submitted.

    Jobs in the background go on after the last line of the program, as they would on a cluster; after a failure of the
    program they are cancelled. With ``detached`` nobody waits for them, in the program neither.
    """
    configuration = settings.configuration
    on_cluster = configuration.get_string("execution.target", "local") != "local"
    expiry = Expiry.of(configuration) if on_cluster and not detached else None
    jobs = Jobs(settings.verbose, detached, on_cluster, expiry)
    if expiry is not None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    def submit(graph: LogicalGraph, hand_over: Submit) -> RunningJob:
        if before_job is not None:
            before_job(graph)
        return jobs.submit(graph, hand_over)

    ending = carry_out(program, settings, submit)
    if ending.at_last_line and jobs.count == 0:
        report(NO_JOB)
    if ending.exit_code == INTERRUPTED:
        jobs.leave()
    elif ending.exit_code:
        jobs.cancel()
    return ending.exit_code or jobs.wait().exit_code


class Jobs:
    """The jobs of a program. ``expiry``: on a cluster they end with this process, within this time at the latest."""

    def __init__(
        self, verbose: bool, detached: bool = False, on_cluster: bool = False, expiry: Expiry | None = None
    ) -> None:
        self.count = 0
        self._expiry = expiry
        self._detached = detached
        self._on_cluster = on_cluster
        self._verbose = verbose
        self._background: list[RunningJob] = []

    def submit(self, graph: LogicalGraph, submit: Submit) -> RunningJob:
        """Let a job be submitted and keep it in mind."""
        self.count += 1
        job = submit(graph)
        if self._on_cluster:
            print(f"Job has been submitted with JobID {job.job_id}", flush=True)
        if self._detached:
            return cast(RunningJob, DetachedJob(job))
        if self._expiry is not None:
            keep_alive(job, self._expiry)
        if self._on_cluster:
            job = cast(RunningJob, AttachedJob(job))
        # Whether it will run in the background is not known yet; those that have finished need no waiting for.
        self._background = [other for other in self._background if other.status() is not JobStatus.FINISHED]
        self._background.append(job)
        if self._verbose and not self._on_cluster:
            report(f"Job has been submitted with JobID {job.job_id}")
        return job

    def wait(self) -> Ending:
        """Wait for the jobs in the background; one that fails, or has failed, is reported."""
        exit_code = 0
        try:
            for job in self._background:
                if job.in_background and not self._succeeds(job):
                    exit_code = FAILED
        except KeyboardInterrupt:
            report("Interrupted.")
            self.leave()
            return Ending(INTERRUPTED)
        return Ending(exit_code)

    def leave(self) -> None:
        """The command is interrupted. Jobs here end with it; those on a cluster do where that was asked for."""
        if not self._on_cluster or self._expiry is not None:
            self.cancel()
            return
        for job in self._running():
            report(
                f"Job {job.job_id} goes on: `penstock cancel {job.job_id}` ends it. With -sae it ends with this command."
            )

    def cancel(self) -> None:
        """Stop the jobs in the background and wait until nothing is left of them."""
        running = self._running()
        for job in running:
            job.cancel()
        for job in running:
            with suppress(PenstockError):
                job.result()

    def _running(self) -> list[RunningJob]:
        return [
            job
            for job in self._background
            if job.in_background and not job.status().is_globally_terminal_state()
        ]

    def _succeeds(self, job: RunningJob) -> bool:
        try:
            job.result()
        except JobCancelled:  # by the program itself
            return True
        except PenstockError as error:
            report(describe(error, self._verbose))
            return False
        return True
