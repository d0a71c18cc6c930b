"""``penstock info``: the plans of a program's jobs, of which none runs."""

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, NoReturn

from penstock.cli.carrying_out import FAILED, carry_out, report
from penstock.cli.program import Program
from penstock.cli.running import NO_JOB
from penstock.cli.settings import Settings
from penstock.dataflow.explain import plan_dot, plan_json, plan_text
from penstock.dataflow.logical import LogicalGraph
from penstock.dataflow.recovery import CheckpointStatistics, Recovery, SavepointWish
from penstock.dataflow.submission import JobExecutionResult, JobStatus, RunningJob, Submit
from penstock.ids import JobID
from penstock.plan.compile import settle

_FORMS = {"text": plan_text, "json": plan_json, "dot": plan_dot}
_WIDTH = 62


class NeedsRun(SystemExit):
    """The program has asked for what only a run of its job could tell, so it ends there."""


def explain_program(program: Program, settings: Settings, form: str) -> int:
    """Print the plans of a program's jobs, one after the other; gives the exit code.

    What the program itself prints goes to standard error, so that the plans can be read by a program.
    """
    plans: list[LogicalGraph] = []

    def plan(graph: LogicalGraph, submit: Submit) -> RunningJob:
        plans.append(settle(graph))
        return PlannedJob(graph.job_name)

    with redirect_stdout(sys.stderr):
        ending = carry_out(program, settings, plan)
    for graph in plans:
        print(_titled(graph) if form == "text" else _FORMS[form](graph))
    if plans or ending.exit_code:
        return ending.exit_code
    report(NO_JOB)
    return FAILED


def _titled(graph: LogicalGraph) -> str:
    """The plan between lines of dashes, as Flink shows it."""
    title = f" Execution Plan: {graph.job_name} "
    return f"{title:-^{_WIDTH}}\n{plan_text(graph)}\n{'-' * _WIDTH}"


class PlannedJob:
    """A job that is only planned: to the program it looks finished, but there are no results of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._id = JobID.random()
        self.in_background = False

    @property
    def job_id(self) -> JobID:
        return self._id

    def status(self) -> JobStatus:
        return JobStatus.FINISHED

    def start_in_background(self) -> None:
        self.in_background = True

    def cancel(self) -> None:
        pass

    def result(self, timeout_s: float | None = None) -> JobExecutionResult:
        return PlannedResult(self._id, 0, job_name=self._name)

    def rows(self, collector: str) -> Iterator[list[Any]]:
        _end_program(self._name, "rows")

    def accumulators(self) -> dict[str, Any]:
        _end_program(self._name, "accumulators")

    def metrics(self) -> dict[str, Any]:
        _end_program(self._name, "metrics")

    def savepoint(self, wish: SavepointWish) -> "Future[str]":
        _end_program(self._name, "savepoint")

    def checkpoints(self) -> list[CheckpointStatistics]:
        _end_program(self._name, "checkpoints")

    def recovery(self) -> Recovery:
        _end_program(self._name, "failures")


@dataclass(frozen=True, slots=True)
class PlannedResult(JobExecutionResult):
    """What ``execute`` gives for a job that was only planned."""

    job_name: str = ""

    def get_net_runtime(self) -> int:
        _end_program(self.job_name, "duration")

    def get_accumulator_result(self, accumulator_name: str) -> Any:
        _end_program(self.job_name, "accumulators")

    def get_all_accumulator_results(self) -> dict[str, Any]:
        _end_program(self.job_name, "accumulators")

    def get_metrics(self) -> dict[str, Any]:
        _end_program(self.job_name, "metrics")

    def __str__(self) -> str:
        return f"Job {self.job_id} has been planned and did not run."


def _end_program(name: str, what: str) -> NoReturn:
    report(f"The program asks for the {what} of job {name!r}, which only a run gives; it is read no further.")
    raise NeedsRun(0)
