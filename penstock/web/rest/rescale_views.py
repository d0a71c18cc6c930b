"""What the API tells of changes of a job's parallelism, as Flink 2.3 does; pure functions of what the JobManager knows."""

from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobVertex
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobNotFound
from penstock.deploy.cluster.rescale_history import Layout, Rescale, Span
from penstock.web.rest.checkpoint_views import summary
from penstock.web.rest.vertex_views import vertex_id

Json = dict[str, Any]
_MEMORY = ("taskHeapMemory", "taskOffHeapMemory", "managedMemory", "networkMemory")
_ANY_RESOURCES = {"cpuCores": -1.0, **dict.fromkeys(_MEMORY, -1), "extendedResources": {}}
_STATES = ("ignored", "completed", "failed")


def rescales_overview(job: DispatchedJob) -> Json:
    """How many there were, and the last of each kind."""
    kept = job.rescales.kept()
    latest = {}
    for state in _STATES:
        found = next((each for each in kept if each.reason and each.reason.state == state.upper()), None)
        latest[state] = None if found is None else rescale_line(found)
    return {"rescalesCounts": _counts(job), "latest": latest}


def rescales_history(job: DispatchedJob, most: int) -> list[Json]:
    """The last of them, the newest first."""
    return [rescale_line(each) for each in job.rescales.kept()[:most]]


def rescales_summary(job: DispatchedJob) -> Json:
    """How many there were, and how long those took that are kept."""
    kept = job.rescales.kept()

    def durations(*states: str) -> Json:
        return summary([_duration(each) for each in kept if each.reason and each.reason.state in states])

    return {
        "rescalesCounts": _counts(job),
        "rescalesDurationStatsInMillis": durations("COMPLETED", "IGNORED", "FAILED"),
        "completedRescalesDurationStatsInMillis": durations("COMPLETED"),
        "ignoredRescalesDurationStatsInMillis": durations("IGNORED"),
        "failedRescalesDurationStatsInMillis": durations("FAILED"),
    }


def rescale_detail(job: DispatchedJob, id: str) -> Json:
    """One of them with what was wanted of each vertex and each slot sharing group.

    :raises JobNotFound: where none of this id is kept.
    """
    found = next((each for each in job.rescales.kept() if each.id == id), None)
    if found is None:
        raise JobNotFound(f"of job {job.id} no rescale {id} is kept")
    before, after = found.before or Layout(), found.after or Layout()
    return {
        **rescale_line(found),
        "vertices": {vertex_id(vertex): _vertex(vertex, found) for vertex in job.graph.vertices},
        "slots": {
            group: {
                "slotSharingGroupId": group,
                "slotSharingGroupName": group,
                "requestResourceProfile": _ANY_RESOURCES,
                "desiredSlots": wanted,
                "minimalRequiredSlots": wanted,
                "preRescaleSlots": before.slots.get(group),
                "postRescaleSlots": after.slots.get(group),
                "acquiredResourceProfile": _ANY_RESOURCES,
            }
            for group, wanted in found.wanted.slots.items()
        },
        "schedulerStates": [_span(span) for span in found.spans],
    }


def rescale_line(each: Rescale) -> Json:
    """One of them in the history."""
    return {
        "rescaleUuid": each.id,
        "resourceRequirementsUuid": each.requirements_id,
        "rescaleAttemptId": each.number,
        "vertices": {},
        "slots": {},
        "schedulerStates": [],
        "startTimestampInMillis": each.started_ms,
        "endTimestampInMillis": each.ended_ms,
        "terminalState": None if each.reason is None else each.reason.state,
        "triggerCause": each.cause.name,
        "terminatedReason": None if each.reason is None else each.reason.name,
    }


def _vertex(vertex: JobVertex, rescale: Rescale) -> Json:
    id = vertex_id(vertex)
    before, after = rescale.before or Layout(), rescale.after or Layout()
    wanted = rescale.wanted.parallelisms.get(id)
    return {
        "jobVertexId": id,
        "jobVertexName": vertex.name,
        "slotSharingGroupId": vertex.slot_sharing_group,
        "slotSharingGroupName": vertex.slot_sharing_group,
        "desiredParallelism": wanted,
        "sufficientParallelism": wanted,
        "preRescaleParallelism": before.parallelisms.get(id),
        "postRescaleParallelism": after.parallelisms.get(id),
    }


def _span(span: Span) -> Json:
    end = SYSTEM_CLOCK.now_ms() if span.left_ms is None else span.left_ms
    return {
        "state": span.state,
        "enterTimestampInMillis": span.entered_ms,
        "leaveTimestampInMillis": span.left_ms,
        "durationInMillis": end - span.entered_ms,
        "stringifiedException": span.failure,
    }


def _duration(each: Rescale) -> int:
    return (each.ended_ms or each.started_ms) - each.started_ms


def _counts(job: DispatchedJob) -> Json:
    counts = {state: job.rescales.counts[state.upper()] for state in _STATES}
    return {**counts, "inProgress": job.rescales.in_progress}
