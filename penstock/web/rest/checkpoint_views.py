"""What the API tells of checkpoints; pure functions of what the JobManager knows."""

from collections.abc import Iterable
from typing import Any

from penstock.checkpoint.settings import Retention, checkpoint_settings
from penstock.dataflow.job import JobVertex
from penstock.dataflow.recovery import CheckpointPart, CheckpointState, CheckpointStatistics
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.web.rest.vertex_views import vertex_id

Json = dict[str, Any]


def checkpoint_statistics(job: DispatchedJob, most: int) -> Json:
    """What became of the checkpoints; of the last ones, so many at most, one by one."""
    known, counts = job.checkpoints(), job.checkpoint_counts()
    completed = [each for each in known if each.state is CheckpointState.COMPLETED]
    latest: Json = {
        "completed": _last(job, (each for each in completed if not each.is_savepoint)),
        "savepoint": _last(job, (each for each in completed if each.is_savepoint)),
        "failed": _last(job, (each for each in known if each.state is CheckpointState.FAILED)),
    }
    restored = job.recovery().restored_checkpoint
    return {
        "counts": {
            "restored": 0 if restored is None else 1,
            "total": sum(counts.values()),
            "in_progress": counts.get(CheckpointState.IN_PROGRESS, 0),
            "completed": counts.get(CheckpointState.COMPLETED, 0),
            "failed": counts.get(CheckpointState.FAILED, 0),
        },
        "summary": {
            "checkpointed_size": summary([each.state_bytes or 0 for each in completed]),
            "state_size": summary([each.state_bytes or 0 for each in completed]),
            "end_to_end_duration": summary([each.duration_ms or 0 for each in completed]),
        },
        "latest": {**latest, "restored": _restored(job, known, restored)},
        "history": [checkpoint(job, each) for each in list(reversed(known))[:most]],
    }


def _last(job: DispatchedJob, found: Iterable[CheckpointStatistics]) -> Json | None:
    last = None
    for last in found:  # noqa: B007  (the last of them is wanted)
        pass
    return None if last is None else checkpoint(job, last)


def _restored(job: DispatchedJob, known: list[CheckpointStatistics], number: int | None) -> Json | None:
    if number is None:
        return None
    own = next((each for each in known if each.checkpoint_id == number), None)
    return {
        "id": number,
        "restore_timestamp": max(job.times.values()),
        "is_savepoint": own is None or own.is_savepoint,
        "external_path": None if own is None else own.path,
    }


def summary(values: list[int]) -> Json:
    """The smallest, the mean, the largest, and between which all but a few are.

    >>> summary([1, 2, 3, 10])["p50"], summary([])["max"]
    (2.0, 0)
    """
    ordered = sorted(values)

    def quantile(part: float) -> float:
        return float(ordered[min(len(ordered) - 1, int(part * (len(ordered) - 1)))]) if ordered else 0.0

    return {
        "min": ordered[0] if ordered else 0,
        "max": ordered[-1] if ordered else 0,
        "avg": sum(ordered) // len(ordered) if ordered else 0,
        **{name: quantile(part) for name, part in _QUANTILES},
    }


_QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))


def checkpoint(job: DispatchedJob, each: CheckpointStatistics) -> Json:
    """One checkpoint in the history."""
    size = each.state_bytes if each.state_bytes is not None else sum(part.state_bytes for part in each.parts)
    subtasks = sum(vertex.parallelism for vertex in job.graph.vertices)
    acknowledged = [part.acknowledged_ms for part in each.parts]
    return {
        "id": each.checkpoint_id,
        "className": each.state.name.lower(),
        "status": each.state.name,
        "is_savepoint": each.is_savepoint,
        "savepointFormat": "CANONICAL" if each.is_savepoint else None,
        "trigger_timestamp": each.trigger_timestamp_ms,
        "latest_ack_timestamp": max(acknowledged, default=-1),
        "checkpointed_size": size,
        "state_size": size,
        "end_to_end_duration": each.duration_ms or 0,
        "alignment_buffered": 0,
        "processed_data": 0,
        "persisted_data": 0,
        "num_subtasks": subtasks,
        "num_acknowledged_subtasks": len(each.parts),
        "checkpoint_type": "SAVEPOINT" if each.is_savepoint else "CHECKPOINT",
        "external_path": each.path,
        "discarded": False,
        "failure_message": each.failure,
        "tasks": {},
    }


def checkpoint_details(job: DispatchedJob, each: CheckpointStatistics) -> Json:
    """A checkpoint with the part of each vertex."""
    tasks = {
        vertex_id(vertex): _part_of_vertex(each, vertex)
        for vertex in job.graph.vertices
        if _parts(each, vertex)
    }
    return {**checkpoint(job, each), "tasks": tasks}


def checkpoint_subtasks(each: CheckpointStatistics, vertex: JobVertex) -> Json:
    """The parts that the subtasks of a vertex have in a checkpoint."""
    parts = _parts(each, vertex)
    sizes = summary([part.state_bytes for part in parts])
    durations = summary([part.acknowledged_ms - each.trigger_timestamp_ms for part in parts])
    return {
        **_part_of_vertex(each, vertex),
        "summary": {"checkpointed_size": sizes, "state_size": sizes, "end_to_end_duration": durations},
        "subtasks": [
            {
                "index": part.subtask.index,
                "status": "completed",
                "ack_timestamp": part.acknowledged_ms,
                "end_to_end_duration": part.acknowledged_ms - each.trigger_timestamp_ms,
                "checkpointed_size": part.state_bytes,
                "state_size": part.state_bytes,
                "aborted": False,
            }
            for part in parts
        ],
    }


def _parts(each: CheckpointStatistics, vertex: JobVertex) -> list[CheckpointPart]:
    return sorted(
        (part for part in each.parts if part.subtask.vertex == vertex.id),
        key=lambda part: part.subtask.index,
    )


def _part_of_vertex(each: CheckpointStatistics, vertex: JobVertex) -> Json:
    parts = _parts(each, vertex)
    latest = max((part.acknowledged_ms for part in parts), default=-1)
    size = sum(part.state_bytes for part in parts)
    return {
        "id": each.checkpoint_id,
        "status": each.state.name,
        "latest_ack_timestamp": latest,
        "checkpointed_size": size,
        "state_size": size,
        "end_to_end_duration": max(0, latest - each.trigger_timestamp_ms),
        "alignment_buffered": 0,
        "processed_data": 0,
        "persisted_data": 0,
        "num_subtasks": vertex.parallelism,
        "num_acknowledged_subtasks": len(parts),
    }


def checkpoint_config(job: DispatchedJob) -> Json:
    """How checkpoints are taken."""
    settings = checkpoint_settings(job.graph.settings, job.graph.batch_mode)
    given = job.graph.settings.get
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
        "state_backend": given("state.backend.type", "hashmap"),
        "checkpoint_storage": "JobManagerCheckpointStorage"
        if settings.in_memory
        else "FileSystemCheckpointStorage",
        "unaligned_checkpoints": given("execution.checkpointing.unaligned.enabled") == "true",
        "tolerable_failed_checkpoints": settings.tolerable_failures,
        "aligned_checkpoint_timeout": settings.unaligned_after_ms or 0,
        "checkpoints_after_tasks_finish": settings.after_tasks_finish,
        "state_changelog_enabled": False,
        "changelog_periodic_materialization_interval": 0,
        "changelog_storage": None,
    }
