"""What is measured of jobs and of the processes that they run in, under Flink's names: pure functions of what is known.

Source: Flink's documentation, "Metrics", "System metrics".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.dataflow.submission import JobStatus
from penstock.deploy.told_job import ToldJob
from penstock.metrics.process_metrics import process_metrics
from penstock.metrics.readings import Reading, Scope
from penstock.metrics.system_resources import SystemResources

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Places:
    """Where jobs run: how many TaskManagers there are, and how many slots they have."""

    taskmanagers: int
    slots: int
    free: int


def of_jobmanager(jobs: Iterable[ToldJob], places: Places, machine: SystemResources | None = None) -> Values:
    """The JobManager: what is in the cluster, what the process uses, and what the machine does."""
    return {
        "numRegisteredTaskManagers": places.taskmanagers,
        "numRunningJobs": sum(not job.status.is_terminal_state() for job in jobs),
        "taskSlotsTotal": places.slots,
        "taskSlotsAvailable": places.free,
        **process_metrics(machine),
    }


def of_job(job: ToldJob) -> Values:
    """A job as a whole: its states, its attempts, its checkpoints."""
    now = job.ended_at_ms or SYSTEM_CLOCK.now_ms()
    status, is_over = job.status, job.status.is_terminal_state()

    def time_in(*statuses: JobStatus) -> int:
        return now - job.times[status] if status in statuses and status in job.times else 0

    return {
        "uptime": -1 if is_over else time_in(JobStatus.RUNNING),
        "downtime": -1 if is_over else time_in(JobStatus.RESTARTING, JobStatus.FAILING),
        "createdTime": time_in(JobStatus.CREATED),
        "runningTime": time_in(JobStatus.RUNNING),
        "runningState": int(status is JobStatus.RUNNING),
        "restartingTime": time_in(JobStatus.RESTARTING),
        "restartingState": int(status is JobStatus.RESTARTING),
        "initializingState": int(status is JobStatus.CREATED),
        "initializingTime": time_in(JobStatus.CREATED),
        "failingTime": time_in(JobStatus.FAILING),
        "cancellingTime": time_in(JobStatus.CANCELLING),
        "numRestarts": job.recovery().restarts,
        "fullRestarts": job.recovery().restarts,
        "numRescales": job.parallelism_changes,
        **_of_checkpoints(job.checkpoints(), job.checkpoint_counts()),
    }


def _of_checkpoints(known: list[CheckpointStatistics], counts: dict[CheckpointState, int]) -> Values:
    values: Values = {
        "totalNumberOfCheckpoints": sum(counts.values()),
        "numberOfInProgressCheckpoints": counts.get(CheckpointState.IN_PROGRESS, 0),
        "numberOfCompletedCheckpoints": counts.get(CheckpointState.COMPLETED, 0),
        "numberOfFailedCheckpoints": counts.get(CheckpointState.FAILED, 0),
    }
    last = next((each for each in reversed(known) if each.state is CheckpointState.COMPLETED), None)
    if last is not None:
        duration_ms = last.duration_ms or 0
        values |= {
            "lastCheckpointDuration": duration_ms,
            "lastCheckpointSize": last.state_bytes,
            "lastCheckpointFullSize": last.state_bytes,
            "lastCompletedCheckpointId": last.checkpoint_id,
            "lastCheckpointCompletedTimestamp": last.trigger_timestamp_ms + duration_ms,
            "lastCheckpointExternalPath": last.path,
        }
    return values


def readings(
    jobs: Iterable[ToldJob], places: Places, host: str, machine: SystemResources | None = None
) -> Iterator[Reading]:
    """What the JobManager measures, for its reporters: of itself, and of jobs as a whole. Jobs that have ended are left out,
    and TaskManagers have reporters of their own."""
    variables, known = {"host": host}, list(jobs)
    yield from _of(Scope.JOBMANAGER, of_jobmanager(known, places, machine), variables)
    for job in known:
        if job.ended_at_ms is None:
            of_this = {"job_id": job.id, "job_name": job.name}
            yield from _of(Scope.JOB, of_job(job), {**variables, **of_this})


def _of(scope: Scope, values: Values, variables: dict[str, str]) -> Iterator[Reading]:
    for name, value in values.items():
        yield Reading(scope, name, value, variables)
