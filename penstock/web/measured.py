"""What is measured in a cluster, under Flink's names: pure functions of what the JobManager knows.

Source: Flink's documentation, "Metrics", "System metrics".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.process_metrics import process_metrics
from penstock.deploy.cluster.slots import TaskManagerEntry
from penstock.metrics.readings import Reading, Scope, flat, in_names

Values = dict[str, Any]

# What the engine measures of a task, and what Flink calls it.
_OF_TASKS = {
    "busyTimeMs": "accumulateBusyTimeMs",
    "idleTimeMs": "accumulateIdleTimeMs",
    "backPressuredTimeMs": "accumulateBackPressuredTimeMs",
    "busyTimeMsPerSecond": "busyTimeMsPerSecond",
    "idleTimeMsPerSecond": "idleTimeMsPerSecond",
    "backPressuredTimeMsPerSecond": "backPressuredTimeMsPerSecond",
    "longestBarrierPauseMs": "longestBarrierPauseMs",
}


def of_jobmanager(jobs: Iterable[DispatchedJob], entries: list[TaskManagerEntry]) -> Values:
    """The JobManager: what is in the cluster, and what the process uses."""
    return {
        "numRegisteredTaskManagers": len(entries),
        "numRunningJobs": sum(not job.status.is_terminal_state() for job in jobs),
        "taskSlotsTotal": sum(entry.description.slots for entry in entries),
        "taskSlotsAvailable": sum(entry.free for entry in entries),
        **process_metrics(),
    }


def of_job(job: DispatchedJob) -> Values:
    """A job as a whole: its states, its attempts, its checkpoints."""
    now = job.ended_at_ms or SYSTEM_CLOCK.now_ms()
    status, runs_since = job.status, job.times.get(JobStatus.RUNNING)
    uptime = now - runs_since if runs_since is not None and status is JobStatus.RUNNING else 0
    failed_at = job.times.get(JobStatus.RESTARTING)
    return {
        "uptime": uptime if not status.is_terminal_state() else -1,
        "runningTime": uptime,
        "runningState": int(status is JobStatus.RUNNING),
        "restartingTime": now - failed_at if failed_at and status is JobStatus.RESTARTING else 0,
        "restartingState": int(status is JobStatus.RESTARTING),
        "initializingState": int(status is JobStatus.CREATED),
        "initializingTime": now - job.started_at_ms if status is JobStatus.CREATED else 0,
        "numRestarts": job.recovery().restarts,
        "fullRestarts": job.recovery().restarts,
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


def of_taskmanager(entry: TaskManagerEntry) -> Values:
    """The process of a TaskManager, as its last heartbeat told."""
    return dict(entry.metrics)


class Measured:
    """What the workers of a job have reported, by operator and subtask: the reports are looked through once, however many
    subtasks are asked for.

    The name of a metric begins with those of its operator and subtask; the operator's may have dots in it.
    """

    def __init__(self, metrics: Values, graph: JobGraph) -> None:
        self._found: dict[str, Values] = {
            _prefix(operator, subtask): {}
            for vertex in graph.vertices
            for operator in vertex.operators
            for subtask in range(vertex.parallelism)
        }
        for name, value in metrics.items():
            end = name.find(".")
            while end >= 0:
                own = self._found.get(name[: end + 1])
                if own is not None:
                    own.update(flat(name[end + 1 :], value))
                end = name.find(".", end + 1)

    @staticmethod
    def of(job: DispatchedJob) -> "Measured":
        """Of a job, now."""
        return Measured(job.job.metrics(), job.graph)

    def of_operator(self, operator: ChainedOperator, subtask: int) -> Values:
        """One operator in one subtask, with what the program itself measures in it."""
        return self._found.get(_prefix(operator, subtask), {})


def _prefix(operator: ChainedOperator, subtask: int) -> str:
    return f"{operator.metric_name or operator.name}.{subtask}."


def of_task(measured: Measured, vertex: JobVertex, subtask: int) -> Values:
    """A subtask as a whole: records into its first operator and out of its last, its times, its watermark."""
    head = measured.of_operator(vertex.operators[0], subtask)
    last = measured.of_operator(vertex.operators[-1], subtask)
    values = {name: head[name] for name in head if name.startswith(("numRecordsIn", "currentInputWatermark"))}
    values |= {name: last[name] for name in last if name.startswith("numRecordsOut")}
    return values | {flink: head[own] for own, flink in _OF_TASKS.items() if own in head}


def of_vertex(measured: Measured, vertex: JobVertex, subtask: int) -> Values:
    """A subtask and the operators in it, as the REST API names them: those of operators behind the operator's name."""
    values = of_task(measured, vertex, subtask)
    for operator in vertex.operators:
        own = measured.of_operator(operator, subtask)
        values |= {f"{in_names(operator.name)}.{name}": own[name] for name in own if name not in _OF_TASKS}
    return values


def readings(jobs: list[DispatchedJob], entries: list[TaskManagerEntry], host: str) -> Iterator[Reading]:
    """Everything that is measured, for reporters. Jobs that have ended are left out."""
    variables = {"host": host}
    yield from _of(Scope.JOBMANAGER, of_jobmanager(jobs, entries), variables)
    hosts = {}
    for entry in entries:
        hosts[entry.description.id] = entry.description.host
        yield from _of(
            Scope.TASKMANAGER,
            of_taskmanager(entry),
            {"host": entry.description.host, "tm_id": entry.description.id},
        )
    for job in jobs:
        if not job.has_ended:
            of_this = {"job_id": job.id, "job_name": job.name}
            yield from _of(Scope.JOB, of_job(job), {**variables, **of_this})
            yield from _of_tasks(job, hosts, of_this)


def _of_tasks(job: DispatchedJob, hosts: dict[str, str], of_job: dict[str, str]) -> Iterator[Reading]:
    measured, places = Measured.of(job), job.places()
    attempt = str(job.recovery().restarts)
    for vertex in job.graph.vertices:
        for subtask in range(vertex.parallelism):
            place = places.get(subtask, "")
            around = {
                "host": hosts.get(place, ""),
                "tm_id": place,
                **of_job,
                "task_id": vertex.head.id,
                "task_name": vertex.name,
                "task_attempt_num": attempt,
                "subtask_index": str(subtask),
            }
            yield from _of(Scope.TASK, of_task(measured, vertex, subtask), around)
            for operator in vertex.operators:
                own = measured.of_operator(operator, subtask)
                values = {name: value for name, value in own.items() if name not in _OF_TASKS}
                named = {"operator_id": operator.id, "operator_name": operator.name}
                yield from _of(Scope.OPERATOR, values, {**around, **named})


def _of(scope: Scope, values: Values, variables: dict[str, str]) -> Iterator[Reading]:
    for name, value in values.items():
        yield Reading(scope, name, value, variables)
