"""What the API tells, as JSON; pure functions of what the JobManager knows. Source: Flink's documentation, "REST API"."""

from collections.abc import Iterable
from typing import Any

from penstock import __version__
from penstock.checkpoint.settings import Retention, checkpoint_settings
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobGraph, JobVertex
from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatcher import DispatchedJob
from penstock.deploy.cluster.slots import TaskManagerEntry

Json = dict[str, Any]
FLINK_VERSION = "2.3.0"

_TASK_STATES = (
    "CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "FINISHED", "CANCELING", "CANCELED", "FAILED",
    "RECONCILING",
)  # fmt: skip
_OF_JOB = {
    JobStatus.CREATED: "SCHEDULED",
    JobStatus.RUNNING: "RUNNING",
    JobStatus.FINISHED: "FINISHED",
    JobStatus.FAILING: "CANCELING",
    JobStatus.FAILED: "FAILED",
    JobStatus.CANCELLING: "CANCELING",
    JobStatus.CANCELED: "CANCELED",
    JobStatus.RESTARTING: "DEPLOYING",
}


def overview(jobs: Iterable[DispatchedJob], entries: list[TaskManagerEntry]) -> Json:
    """The cluster in figures."""
    states = [job.status for job in jobs]
    return {
        "taskmanagers": len(entries),
        "slots-total": sum(entry.description.slots for entry in entries),
        "slots-available": sum(entry.free for entry in entries),
        "jobs-running": sum(not state.is_terminal_state() for state in states),
        "jobs-finished": states.count(JobStatus.FINISHED),
        "jobs-cancelled": states.count(JobStatus.CANCELED),
        "jobs-failed": states.count(JobStatus.FAILED),
        "flink-version": FLINK_VERSION,
        "flink-commit": "penstock",
        "penstock-version": __version__,
    }


def config() -> Json:
    """What a page has to know."""
    return {
        "refresh-interval": 3000,
        "timezone-name": "UTC",
        "timezone-offset": 0,
        "flink-version": FLINK_VERSION,
        "flink-revision": "penstock",
        "features": {
            "web-submit": False,
            "web-cancel": True,
            "web-rescale": False,
            "web-history": False,
        },
    }


def job_line(job: DispatchedJob) -> Json:
    """A job in the list of jobs."""
    tasks = sum(vertex.parallelism for vertex in job.graph.vertices)
    state = _task_state(job)
    counts = {name.lower(): tasks if name == state else 0 for name in _TASK_STATES}
    return {
        "jid": job.id,
        "name": job.name,
        "state": job.status.name,
        "start-time": job.started_at_ms,
        "end-time": _end(job),
        "duration": _duration(job),
        "last-modification": max(job.times.values()),
        "tasks": {"total": tasks, **counts},
        "pending-operators": 0,
    }


def job_detail(job: DispatchedJob) -> Json:
    """A job with its vertices."""
    state = _task_state(job)
    vertices = [_vertex_line(job, vertex) for vertex in job.graph.vertices]
    return {
        "jid": job.id,
        "name": job.name,
        "isStoppable": False,
        "state": job.status.name,
        "job-type": "BATCH" if job.graph.batch_mode else "STREAMING",
        "start-time": job.started_at_ms,
        "end-time": _end(job),
        "duration": _duration(job),
        "maxParallelism": max(vertex.max_parallelism for vertex in job.graph.vertices),
        "now": SYSTEM_CLOCK.now_ms(),
        "timestamps": {"INITIALIZING": 0, "SUSPENDED": 0, "RECONCILING": 0}
        | {status.name: job.times.get(status, 0) for status in _OF_JOB},
        "vertices": vertices,
        "status-counts": {name: len(vertices) if name == state else 0 for name in _TASK_STATES},
        "plan": plan(job.graph, job.id),
        "pending-operators": 0,
    }


def plan(graph: JobGraph, job_id: str) -> Json:
    """The graph in the form of Flink's plan visualizer."""
    nodes: list[Json] = []
    for vertex in graph.vertices:
        inputs = [
            {
                "num": number,
                "id": vertex_id(graph.vertex(edge.source)),
                "ship_strategy": type(edge.partitioning).__name__.upper(),
                "exchange": "blocking" if edge.blocking else "pipelined_bounded",
            }
            for number, edge in enumerate(edge for edge in graph.edges if edge.target == vertex.id)
        ]
        node: Json = {
            "id": vertex_id(vertex),
            "parallelism": vertex.parallelism,
            "operator": "",
            "operator_strategy": "",
            "description": vertex.name,
            "optimizer_properties": {},
        }
        nodes.append({**node, "inputs": inputs} if inputs else node)
    return {
        "jid": job_id,
        "name": graph.job_name,
        "type": "BATCH" if graph.batch_mode else "STREAMING",
        "nodes": nodes,
    }


def vertex_id(vertex: JobVertex) -> str:
    """A vertex is called by the id of its first operator: 32 hexadecimal digits, as in Flink."""
    return vertex.head.id


def _vertex_line(job: DispatchedJob, vertex: JobVertex) -> Json:
    state = _task_state(job)
    metrics = job.job.metrics()
    return {
        "id": vertex_id(vertex),
        "slotSharingGroupId": vertex.slot_sharing_group,
        "name": vertex.name,
        "maxParallelism": vertex.max_parallelism,
        "parallelism": vertex.parallelism,
        "status": state,
        "start-time": job.times.get(JobStatus.RUNNING, -1),
        "end-time": _end(job),
        "duration": _duration(job),
        "tasks": {name: vertex.parallelism if name == state else 0 for name in _TASK_STATES},
        "metrics": _io_metrics(metrics, vertex, range(vertex.parallelism)),
    }


def _io_metrics(metrics: Json, vertex: JobVertex, subtasks: range) -> Json:
    head, last = vertex.operators[0].metric_name, vertex.operators[-1].metric_name

    def total(operator: str, name: str) -> int:
        return sum(metrics.get(f"{operator}.{subtask}.{name}") or 0 for subtask in subtasks)

    return {
        "read-bytes": 0,
        "read-bytes-complete": False,
        "write-bytes": 0,
        "write-bytes-complete": False,
        "read-records": total(head, "numRecordsIn"),
        "read-records-complete": True,
        "write-records": total(last, "numRecordsOut"),
        "write-records-complete": True,
        "accumulated-backpressured-time": total(head, "backPressuredTimeMs"),
        "accumulated-idle-time": total(head, "idleTimeMs"),
        "accumulated-busy-time": float(total(head, "busyTimeMs")),
    }


def vertex_detail(job: DispatchedJob, vertex: JobVertex) -> Json:
    """A vertex with its subtasks."""
    metrics = job.job.metrics()
    subtasks = [
        {
            "subtask": index,
            "status": _task_state(job),
            "attempt": job.job.recovery().restarts,
            "endpoint": "",
            "start-time": job.times.get(JobStatus.RUNNING, -1),
            "end-time": _end(job),
            "duration": _duration(job),
            "metrics": _io_metrics(metrics, vertex, range(index, index + 1)),
            "taskmanager-id": "",
            "other-concurrent-attempts": [],
        }
        for index in range(vertex.parallelism)
    ]
    return {
        "id": vertex_id(vertex),
        "name": vertex.name,
        "parallelism": vertex.parallelism,
        "maxParallelism": vertex.max_parallelism,
        "now": SYSTEM_CLOCK.now_ms(),
        "subtasks": subtasks,
    }


def watermarks(job: DispatchedJob, vertex: JobVertex) -> list[Json]:
    """The watermark of each subtask that has one."""
    metrics = job.job.metrics()
    names = [
        f"{vertex.operators[0].metric_name}.{index}.currentInputWatermark"
        for index in range(vertex.parallelism)
    ]
    return [
        {"id": f"{index}.currentInputWatermark", "value": str(metrics[name])}
        for index, name in enumerate(names)
        if metrics.get(name) is not None
    ]


def backpressure(job: DispatchedJob, vertex: JobVertex) -> Json:
    """How much of its time each subtask waited for those behind it."""
    metrics = job.job.metrics()
    subtasks: list[Json] = []
    for index in range(vertex.parallelism):
        place = f"{vertex.operators[0].metric_name}.{index}"
        waits, idle, busy = (
            metrics.get(f"{place}.{name}TimeMs") or 0 for name in ("backPressured", "idle", "busy")
        )
        whole = max(1, waits + idle + busy)
        ratio = waits / whole
        subtasks.append(
            {
                "subtask": index,
                "attempt-number": job.job.recovery().restarts,
                "backpressure-level": _level(ratio),
                "ratio": ratio,
                "idleRatio": idle / whole,
                "busyRatio": busy / whole,
            }
        )
    worst = max((subtask["ratio"] for subtask in subtasks), default=0.0)
    return {
        "status": "ok",
        "backpressure-level": _level(worst),
        "end-timestamp": SYSTEM_CLOCK.now_ms(),
        "subtasks": subtasks,
    }


def _level(ratio: float) -> str:
    return "high" if ratio > 0.5 else "low" if ratio > 0.1 else "ok"


def accumulators(job: DispatchedJob) -> Json:
    """The accumulators of the user."""
    own = [
        {"name": name, "type": type(value).__name__, "value": str(value)}
        for name, value in sorted(job.job.accumulators().items())
    ]
    return {"job-accumulators": [], "user-task-accumulators": own, "serialized-user-task-accumulators": {}}


def exceptions(job: DispatchedJob) -> Json:
    """Why attempts failed, the last first."""
    failures = list(job.job.recovery().failures)
    if job.failure and job.status is JobStatus.FAILED:
        failures = [*failures[:-1], job.failure] if failures else [job.failure]
    entries: list[Json] = [
        {"exceptionName": text.split(":")[0], "stacktrace": text, "timestamp": max(job.times.values()), "failureLabels": {},
         "taskName": None, "endpoint": None, "taskManagerId": None, "concurrentExceptions": []}
        for text in reversed(failures)
    ]  # fmt: skip
    return {
        "root-exception": failures[-1] if failures else None,
        "timestamp": max(job.times.values()) if failures else None,
        "all-exceptions": [],
        "truncated": False,
        "exceptionHistory": {"entries": entries, "truncated": False},
    }


def checkpoint_statistics(job: DispatchedJob) -> Json:
    """What became of the checkpoints."""
    known = job.job.checkpoints()
    counts = {state: sum(each.state is state for each in known) for state in CheckpointState}
    latest = {
        name: next((_checkpoint(each) for each in reversed(known) if wanted(each)), None)
        for name, wanted in (
            ("completed", lambda each: each.state is CheckpointState.COMPLETED and not each.is_savepoint),
            ("savepoint", lambda each: each.state is CheckpointState.COMPLETED and each.is_savepoint),
            ("failed", lambda each: each.state is CheckpointState.FAILED),
        )
    }
    restored = job.job.recovery().restored_checkpoint
    return {
        "counts": {
            "restored": 0 if restored is None else 1,
            "total": len(known),
            "in_progress": counts[CheckpointState.IN_PROGRESS],
            "completed": counts[CheckpointState.COMPLETED],
            "failed": counts[CheckpointState.FAILED],
        },
        "latest": {
            **latest,
            "restored": None if restored is None else {"id": restored, "is_savepoint": False},
        },
        "history": [_checkpoint(each) for each in reversed(known)],
    }


def _checkpoint(each: CheckpointStatistics) -> Json:
    size = each.state_bytes or 0
    return {
        "id": each.checkpoint_id,
        "status": each.state.name,
        "is_savepoint": each.is_savepoint,
        "savepointFormat": "CANONICAL" if each.is_savepoint else None,
        "trigger_timestamp": each.trigger_timestamp_ms,
        "latest_ack_timestamp": each.trigger_timestamp_ms + (each.duration_ms or 0),
        "checkpointed_size": size,
        "state_size": size,
        "end_to_end_duration": each.duration_ms or 0,
        "external_path": each.path,
        "failure_message": each.failure,
        "discarded": False,
        "checkpoint_type": "SAVEPOINT" if each.is_savepoint else "CHECKPOINT",
    }


def checkpoint_config(job: DispatchedJob) -> Json:
    """How checkpoints are taken."""
    settings = checkpoint_settings(job.graph.settings, job.graph.batch_mode)
    return {
        "mode": "exactly_once" if settings.exactly_once else "at_least_once",
        "interval": settings.interval_ms or 2**63 - 1,
        "timeout": settings.timeout_ms,
        "min_pause": settings.min_pause_ms,
        "max_concurrent": settings.max_concurrent,
        "externalization": {
            "enabled": settings.retention is not Retention.NO_EXTERNALIZED_CHECKPOINTS,
            "delete_on_cancellation": settings.retention is not Retention.RETAIN_ON_CANCELLATION,
        },
        "state_backend": job.graph.settings.get("state.backend.type", "hashmap"),
        "checkpoint_storage": "JobManagerCheckpointStorage"
        if settings.in_memory
        else "FileSystemCheckpointStorage",
        "unaligned_checkpoints": job.graph.settings.get("execution.checkpointing.unaligned.enabled")
        == "true",
        "tolerable_failed_checkpoints": settings.tolerable_failures,
        "aligned_checkpoint_timeout": 0,
        "checkpoints_after_tasks_finish": settings.after_tasks_finish,
        "state_changelog_enabled": False,
        "changelog_periodic_materialization_interval": 0,
        "changelog_storage": None,
    }


def taskmanager(entry: TaskManagerEntry) -> Json:
    """A TaskManager in the list."""
    description = entry.description
    return {
        "id": description.id,
        "path": f"penstock://{description.host}/{description.id}",
        "dataPort": 0,
        "jmxPort": -1,
        "pid": description.pid,
        "timeSinceLastHeartbeat": entry.last_heartbeat_ms,
        "slotsNumber": description.slots,
        "freeSlots": entry.free,
        "blocked": False,
        "metrics": entry.metrics,
        "allocatedSlots": [{"jobId": job_id} for job_id in entry.taken.values()],
    }


def _task_state(job: DispatchedJob) -> str:
    return _OF_JOB.get(job.status, "CREATED")


def _end(job: DispatchedJob) -> int:
    ended = job.ended_at_ms
    return -1 if ended is None else ended


def _duration(job: DispatchedJob) -> int:
    return (job.ended_at_ms or SYSTEM_CLOCK.now_ms()) - job.started_at_ms
