"""What the API tells of vertices and their subtasks; pure functions of what the JobManager knows."""

from collections.abc import Iterable
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobVertex
from penstock.dataflow.recovery import PastAttempt
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobNotFound
from penstock.ids import SubtaskId
from penstock.runtime.task_values import Measured, attempt_id
from penstock.web.rest.task_states import (
    began_ms,
    counts,
    duration_ms,
    ended_ms,
    state_of,
    states_of,
    subtask_state,
)

Json = dict[str, Any]


def vertex_id(vertex: JobVertex) -> str:
    """A vertex is called by the id of its first operator: 32 hexadecimal digits, as in Flink."""
    return vertex.head.id


def vertex_line(job: DispatchedJob, vertex: JobVertex, measured: Measured) -> Json:
    """A vertex in the list of a job's vertices."""
    begin, end = began_ms(job), _vertex_end(job, vertex)
    return {
        "id": vertex_id(vertex),
        "slotSharingGroupId": vertex.slot_sharing_group,
        "name": vertex.name,
        "maxParallelism": vertex.max_parallelism,
        "parallelism": vertex.parallelism,
        "status": state_of(job, vertex),
        "start-time": begin,
        "end-time": end,
        "duration": duration_ms(begin, end),
        "tasks": counts(states_of(job, vertex)),
        "metrics": io_metrics([measured.of_task(vertex, index) for index in range(vertex.parallelism)]),
    }


def _vertex_end(job: DispatchedJob, vertex: JobVertex) -> int:
    ends = [ended_ms(job, subtask) for subtask in vertex.subtasks()]
    return -1 if min(ends) < 0 else max(ends)


def io_metrics(values: list[dict[str, Any]]) -> Json:
    """Records, bytes and times of some subtasks. What some of them have not told yet is not complete."""

    def total(name: str) -> int:
        return sum(each.get(name) or 0 for each in values)

    have_told = all(values)
    return {
        "read-bytes": total("numBytesIn"),
        "read-bytes-complete": have_told,
        "write-bytes": total("numBytesOut"),
        "write-bytes-complete": have_told,
        "read-records": total("numRecordsIn"),
        "read-records-complete": have_told,
        "write-records": total("numRecordsOut"),
        "write-records-complete": have_told,
        "accumulated-backpressured-time": total("accumulateBackPressuredTimeMs"),
        "accumulated-idle-time": total("accumulateIdleTimeMs"),
        "accumulated-busy-time": float(total("accumulateBusyTimeMs")),
    }


def vertex_detail(job: DispatchedJob, vertex: JobVertex) -> Json:
    """A vertex with its subtasks."""
    return {
        "id": vertex_id(vertex),
        "name": vertex.name,
        "parallelism": vertex.parallelism,
        "maxParallelism": vertex.max_parallelism,
        "now": SYSTEM_CLOCK.now_ms(),
        "aggregated": {"metrics": {}, "status-duration": {}},
        "subtasks": subtask_details(job, vertex, range(vertex.parallelism)),
    }


def subtask_detail(job: DispatchedJob, vertex: JobVertex, index: int) -> Json:
    """One subtask in its last attempt."""
    return subtask_details(job, vertex, (index,))[0]


def attempt_detail(job: DispatchedJob, vertex: JobVertex, index: int, attempt: int | None) -> Json:
    """One attempt of a subtask, the last or one before it.

    :raises JobNotFound: for one that there was not, or that is forgotten.
    """
    past = find_past(job, vertex, index, attempt)
    if past is None:
        return subtask_detail(job, vertex, index)
    return _detail(index, past, io_metrics([past.values]))


def find_past(job: DispatchedJob, vertex: JobVertex, index: int, attempt: int | None) -> PastAttempt | None:
    """An attempt that is over; None for the last one.

    :raises JobNotFound: for one that there was not, or that is forgotten.
    """
    subtask = SubtaskId(vertex.id, index)
    last, past = job.job.attempts.running(subtask).number, job.past_attempts(subtask)
    if attempt == last:
        return None
    found = next((each for each in reversed(past) if each.number == attempt), None)
    if found is None:
        known = ", ".join(str(number) for number in [*(each.number for each in past), last])
        raise JobNotFound(
            f"subtask {index} of vertex {vertex_id(vertex)} has no attempt {attempt}; known are {known}"
        )
    return found


def subtask_details(job: DispatchedJob, vertex: JobVertex, indexes: Iterable[int]) -> list[Json]:
    """Some subtasks in their last attempt."""
    measured, places = job.measured(), job.places_of(vertex)
    return [_subtask_detail(job, vertex, index, measured, places[index]) for index in indexes]


def _subtask_detail(
    job: DispatchedJob, vertex: JobVertex, index: int, measured: Measured, place: str
) -> Json:
    subtask = SubtaskId(vertex.id, index)
    running = job.job.attempts.running(subtask)
    state = subtask_state(job, subtask, job.job.finished_at_ms())
    last = PastAttempt(running.number, state, running.began_ms, ended_ms(job, subtask), place)
    return _detail(index, last, io_metrics([measured.of_task(vertex, index)]))


def _detail(index: int, attempt: PastAttempt, metrics: Json) -> Json:
    return {
        "subtask": index,
        "status": attempt.state,
        "attempt": attempt.number,
        "endpoint": attempt.place,
        "start-time": attempt.began_ms,
        "start_time": attempt.began_ms,
        "end-time": attempt.ended_ms,
        "duration": duration_ms(attempt.began_ms, attempt.ended_ms),
        "metrics": metrics,
        "taskmanager-id": attempt.place,
        "status-duration": {},
        "other-concurrent-attempts": [],
    }


def by_taskmanager(job: DispatchedJob, vertex: JobVertex) -> Json:
    """A vertex by where its subtasks run."""
    indexes: dict[str, list[int]] = {}
    for index, place in enumerate(job.places_of(vertex)):
        indexes.setdefault(place or "(unassigned)", []).append(index)
    lines = []
    details = subtask_details(job, vertex, range(vertex.parallelism))
    for place, own in sorted(indexes.items()):
        parts = [details[index] for index in own]
        metrics = [part["metrics"] for part in parts]
        lines.append(
            {
                "endpoint": place,
                "taskmanager-id": place,
                "status": next((p["status"] for p in parts if p["status"] != "FINISHED"), "FINISHED"),
                "start-time": began_ms(job),
                "end-time": max(part["end-time"] for part in parts),
                "duration": max(part["duration"] for part in parts),
                "metrics": {
                    name: all(each[name] for each in metrics)
                    if name.endswith("complete")
                    else sum(each[name] for each in metrics)
                    for name in metrics[0]
                },
                "status-counts": _count_states([part["status"] for part in parts]),
                "aggregated": {"metrics": {}, "status-duration": {}},
            }
        )
    return {
        "id": vertex_id(vertex),
        "name": vertex.name,
        "now": SYSTEM_CLOCK.now_ms(),
        "taskmanagers": lines,
    }


def _count_states(states: list[str]) -> Json:
    from collections import Counter

    return counts(Counter(states))


def subtask_times(job: DispatchedJob, vertex: JobVertex) -> Json:
    """When each subtask came into its state."""
    lines = []
    for index, detail in enumerate(subtask_details(job, vertex, range(vertex.parallelism))):
        times = dict.fromkeys(counts(states_of(job, vertex)), 0)
        times["CREATED"] = job.started_at_ms
        if detail["start-time"] >= 0:
            times["RUNNING"] = detail["start-time"]
        if detail["end-time"] >= 0:
            times[detail["status"]] = detail["end-time"]
        lines.append(
            {
                "subtask": index,
                "host": detail["endpoint"],
                "endpoint": detail["endpoint"],
                "duration": detail["duration"],
                "timestamps": times,
            }
        )
    return {
        "id": vertex_id(vertex),
        "name": vertex.name,
        "now": SYSTEM_CLOCK.now_ms(),
        "subtasks": lines,
    }


def watermarks(job: DispatchedJob, vertex: JobVertex) -> list[Json]:
    """The watermark of each subtask that has one."""
    measured = job.measured()
    found = {
        index: measured.of_task(vertex, index).get("currentInputWatermark")
        for index in range(vertex.parallelism)
    }
    return [
        {"id": f"{index}.currentInputWatermark", "value": str(value)}
        for index, value in found.items()
        if value is not None
    ]


def backpressure(job: DispatchedJob, vertex: JobVertex) -> Json:
    """How much of its time each subtask waits for those behind it, over the last minute."""
    measured = job.measured()
    subtasks: list[Json] = []
    for index in range(vertex.parallelism):
        values = measured.of_task(vertex, index)
        waits, idle, busy = (
            max(0.0, values.get(f"{name}TimeMsPerSecond") or 0.0)
            for name in ("backPressured", "idle", "busy")
        )
        whole = max(1.0, waits + idle + busy)
        subtasks.append(
            {
                "subtask": index,
                "attempt-number": job.job.attempts.running(SubtaskId(vertex.id, index)).number,
                "backpressureLevel": _level(waits / whole),
                "backpressure-level": _level(waits / whole),
                "ratio": waits / whole,
                "idleRatio": idle / whole,
                "busyRatio": busy / whole,
            }
        )
    worst = max((subtask["ratio"] for subtask in subtasks), default=0.0)
    return {
        "status": "ok",
        "backpressureLevel": _level(worst),
        "backpressure-level": _level(worst),
        "end-timestamp": SYSTEM_CLOCK.now_ms(),
        "subtasks": subtasks,
    }


def _level(ratio: float) -> str:
    return "high" if ratio > 0.5 else "low" if ratio > 0.1 else "ok"


def vertex_accumulators(job: DispatchedJob, vertex: JobVertex) -> Json:
    """The accumulators of a vertex, those of its subtasks one after the other."""
    own = [
        each
        for subtask, values in sorted(job.job.subtask_accumulators().items())
        if subtask.vertex == vertex.id
        for each in shown_accumulators(values)
    ]
    return {"id": vertex_id(vertex), "user-accumulators": own}


def accumulators_by_subtask(job: DispatchedJob, vertex: JobVertex) -> Json:
    """The accumulators of each subtask."""
    return {
        "id": vertex_id(vertex),
        "parallelism": vertex.parallelism,
        "subtasks": [
            {
                "subtask": index,
                "host": place,
                "endpoint": place,
                **_attempt_line(job, vertex, index),
            }
            for index, place in enumerate(job.places_of(vertex))
        ],
    }


def attempt_accumulators(job: DispatchedJob, vertex: JobVertex, index: int, attempt: int | None) -> Json:
    """The accumulators of one attempt of a subtask.

    :raises JobNotFound: for one that there was not, or that is forgotten.
    """
    past = find_past(job, vertex, index, attempt)
    line = _attempt_line(job, vertex, index)
    if past is not None:
        line = {"attempt": past.number, "user-accumulators": shown_accumulators(past.accumulators)}
    id = attempt_id(job.id, vertex_id(vertex), index, line["attempt"])
    return {
        "subtask": index,
        "attempt": line["attempt"],
        "id": id,
        "user-accumulators": line["user-accumulators"],
    }


def _attempt_line(job: DispatchedJob, vertex: JobVertex, index: int) -> Json:
    subtask = SubtaskId(vertex.id, index)
    values = job.job.subtask_accumulators().get(subtask, {})
    number = job.job.attempts.running(subtask).number
    return {"attempt": number, "user-accumulators": shown_accumulators(values)}


def shown_accumulators(values: dict[str, Any]) -> list[Json]:
    """Accumulators in the order of their names."""
    return [
        {"name": name, "type": type(value).__name__, "value": str(value)}
        for name, value in sorted(values.items())
    ]
