"""What the API tells of jobs; pure functions of what the JobManager knows. Source: Flink's documentation, "REST API"."""

from collections import Counter
from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.config.masking import masked
from penstock.dataflow.job import JobGraph
from penstock.dataflow.recovery import AttemptFailure
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import ArrivingJob, DispatchedJob
from penstock.web.rest.task_states import counts, duration_ms, ended_ms, states_of
from penstock.web.rest.vertex_views import shown_accumulators, vertex_id, vertex_line

Json = dict[str, Any]

SCHEDULER = "Default"
ARRIVING = "INITIALIZING"  # Flink's word for a job whose JobManager gets ready


def arriving_line(job: ArrivingJob) -> Json:
    """A job that is being taken up again in the list of jobs."""
    now = SYSTEM_CLOCK.now_ms()
    return {
        "jid": job.id,
        "name": job.name,
        "jobType": "STREAMING",
        "schedulerType": SCHEDULER,
        "state": ARRIVING,
        "start-time": job.since_ms,
        "end-time": -1,
        "duration": now - job.since_ms,
        "last-modification": job.since_ms,
        "tasks": {"total": 0, **counts(Counter(), lower=True)},
        "pending-operators": 0,
    }


def job_line(job: DispatchedJob) -> Json:
    """A job in the list of jobs."""
    states: Counter[str] = Counter()
    for vertex in job.graph.vertices:
        states.update(states_of(job, vertex))
    end = ended_ms(job)
    return {
        "jid": job.id,
        "name": job.name,
        "jobType": "BATCH" if job.graph.batch_mode else "STREAMING",
        "schedulerType": SCHEDULER,
        "state": job.status.name,
        "start-time": job.started_at_ms,
        "end-time": end,
        "duration": duration_ms(job.started_at_ms, end),
        "last-modification": max(job.times.values()),
        "tasks": {"total": states.total(), **counts(states, lower=True)},
        "pending-operators": 0,
    }


def job_detail(job: DispatchedJob, application: str | None = None) -> Json:
    """A job with its vertices. ``application``: the one that it belongs to, where it was not submitted by itself."""
    measured = job.measured()
    vertices = [vertex_line(job, vertex, measured) for vertex in job.graph.vertices]
    end = ended_ms(job)
    return {
        "jid": job.id,
        "name": job.name,
        "application-id": application or job.id,
        "isStoppable": False,
        "state": job.status.name,
        "schedulerType": SCHEDULER,
        "job-type": "BATCH" if job.graph.batch_mode else "STREAMING",
        "start-time": job.started_at_ms,
        "end-time": end,
        "duration": duration_ms(job.started_at_ms, end),
        "maxParallelism": max((vertex.max_parallelism for vertex in job.graph.vertices), default=-1),
        "now": SYSTEM_CLOCK.now_ms(),
        "timestamps": {"INITIALIZING": 0, **{status.name: job.times.get(status, 0) for status in JobStatus}},
        "vertices": vertices,
        "status-counts": counts(Counter(vertex["status"] for vertex in vertices)),
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


def accumulators(job: DispatchedJob) -> Json:
    """The accumulators of the user."""
    return {
        "job-accumulators": [],
        "user-task-accumulators": shown_accumulators(job.job.accumulators()),
        "serialized-user-task-accumulators": {},
    }


def exceptions(job: DispatchedJob, most: int) -> Json:
    """Why attempts failed, the last first; ``most`` at most."""
    failures = list(reversed(job.recovery().attempts))
    entries = [_exception(job, failure) for failure in failures]
    if job.status is JobStatus.FAILED and not entries and job.failure:
        entries = [_of_job(job)]
    first = entries[0] if entries else None
    return {
        "root-exception": None if first is None else first["stacktrace"],
        "timestamp": None if first is None else first["timestamp"],
        "all-exceptions": [],
        "truncated": len(entries) > most,
        "exceptionHistory": {"entries": entries[:most], "truncated": len(entries) > most},
    }


def _exception(job: DispatchedJob, failure: AttemptFailure) -> Json:
    subtask = failure.subtask
    task = None
    if subtask is not None:
        vertex = job.graph.vertex(subtask.vertex)
        task = f"{vertex.name} ({subtask.index + 1}/{vertex.parallelism}) - attempt {failure.attempt}"
    place = failure.place or None
    return {
        "exceptionName": failure.kind,
        "stacktrace": failure.text,
        "timestamp": failure.timestamp_ms,
        "failureLabels": {},
        "taskName": task,
        "endpoint": place,
        "taskManagerId": place,
        "concurrentExceptions": [],
    }


def _of_job(job: DispatchedJob) -> Json:
    return {
        "exceptionName": job.failure.split(":")[0],
        "stacktrace": job.failure,
        "timestamp": max(job.times.values()),
        "failureLabels": {},
        "taskName": None,
        "endpoint": None,
        "taskManagerId": None,
        "concurrentExceptions": [],
    }


def config_of(job: DispatchedJob) -> Json:
    """How a job runs, and what it was configured with; secrets are stars."""
    settings = masked(job.graph.settings)
    execution = {
        "restart-strategy": settings.get("restart-strategy.type", "default"),
        "job-parallelism": job.graph.parallelism,
        "object-reuse-mode": settings.get("pipeline.object-reuse") == "true",
        "user-config": settings,
    }
    return {"jid": job.id, "name": job.name, "execution-config": execution}


def result_of(job: DispatchedJob) -> Json:
    """How a job has ended, once that is known."""
    if not job.is_over:
        return {"status": {"id": "IN_PROGRESS"}}
    result = {
        "id": job.id,
        "application-status": {"FINISHED": "SUCCEEDED"}.get(job.status.name, job.status.name),
        "accumulator-results": {name: str(value) for name, value in job.job.accumulators().items()},
        "net-runtime": job.net_runtime_ms,
        "failure": job.failure or None,
    }
    return {"status": {"id": "COMPLETED"}, "job-execution-result": result}
