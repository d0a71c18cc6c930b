"""Jobs: lists, details, submission, the end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from starlette.requests import Request

from penstock.dataflow.recovery import SavepointWish
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobArrives
from penstock.deploy.measured import of_job
from penstock.errors import ProgramError
from penstock.web.rest import cluster_views, job_views
from penstock.web.rest.api import Api
from penstock.web.rest.cluster_operations import CONFIG, ENVIRONMENT, GET_METRICS, METRICS, config_entries
from penstock.web.rest.metric_views import AGGREGATIONS, aggregated, listed
from penstock.web.rest.operations import Answer, Given, Operation, Query
from penstock.web.rest.requests import (
    AlreadyEnded,
    Forbidden,
    body_bytes,
    flag,
    json_body,
    names_in_query,
    number_in_query,
    text,
    trigger_id,
)
from penstock.web.rest.shapes import MapOf, OneOf, Optional, OrNull

MOST_EXCEPTIONS = 20
FORMATS = ("CANONICAL", "NATIVE")
JOB = "/jobs/{job}"
AGGREGATION = Query(
    "agg", f"How numbers are put together, with commas in between: {', '.join(AGGREGATIONS)}. Default: all."
)
AGGREGATED = [{"id": str, **{name: Optional(float) for name in AGGREGATIONS}}]
TRIGGERED = {"request-id": str}
TRIGGER_ID = Optional(str, "32 hexadecimal digits; what has begun under it is not begun again.")
FORMAT = Optional(OneOf(FORMATS), "CANONICAL is the one that there is; NATIVE is refused.")
ACCUMULATORS = [{"name": str, "type": str, "value": str}]
PLAN = {
    "plan": {
        "jid": str,
        "name": str,
        "type": str,
        "nodes": [{"id": str, "parallelism": int, "description": str}],
    }
}
LINE = {
    "jid": str, "name": str, "state": str, "start-time": int, "end-time": int, "duration": int,
    "last-modification": int, "tasks": MapOf(int),
}  # fmt: skip
VERTEX_LINE = {
    "id": str, "name": str, "parallelism": int, "maxParallelism": int, "status": str, "start-time": int, "end-time": int,
    "duration": int, "tasks": MapOf(int), "metrics": {"read-records": int, "write-records": int},
}  # fmt: skip
_DETAIL = {
    "jid": str, "name": str, "application-id": str, "isStoppable": bool, "state": str, "job-type": str, "start-time": int,
    "end-time": int, "duration": int, "maxParallelism": int, "now": int, "timestamps": MapOf(int), "vertices": [VERTEX_LINE],
    "status-counts": MapOf(int), "plan": PLAN["plan"],
}  # fmt: skip
_EXCEPTION = {
    "exceptionName": str, "stacktrace": str, "timestamp": int, "taskName": OrNull(str), "taskManagerId": OrNull(str),
}  # fmt: skip


def job_operations(api: Api) -> list[Operation]:
    """Those of jobs."""
    return [*_of_all(api), *_of_one(api), *_of_its_run(api), *_to_end_it(api)]


def _of_all(api: Api) -> list[Operation]:
    return [
        Operation("GET", "/jobs", "All jobs.", _ids(api), {"jobs": [{"id": str, "status": str}]}),
        Operation("GET", "/jobs/overview", "All jobs with their tasks.", _lines(api), {"jobs": [LINE]}),
        Operation(
            "GET",
            "/jobs/metrics",
            "Metrics of jobs, put together.",
            _metrics_of_jobs(api),
            AGGREGATED,
            queries=(GET_METRICS, AGGREGATION, Query("jobs", "Ids of jobs, with commas in between.")),
        ),
        Operation(
            "POST",
            "/jobs",
            "Submit a job that penstock's client has made.",
            _submit(api),
            {"jobUrl": str, "jobid": str},
            body=Given.JOB,
            status=202,
            needs_proof=True,
        ),
    ]


def _of_one(api: Api) -> list[Operation]:
    return [
        Operation("GET", JOB, "A job with its vertices.", _detail(api), _DETAIL),
        Operation(
            "GET",
            f"{JOB}/status",
            "Where a job stands.",
            of(api, lambda job: {"status": job.status.name}),
            {"status": str},
        ),
        Operation(
            "GET",
            f"{JOB}/config",
            "What a job was configured with; secrets are stars.",
            of(api, job_views.config_of),
            {
                "jid": str,
                "name": str,
                "execution-config": {"job-parallelism": int, "user-config": MapOf(str)},
            },
        ),
        Operation(
            "GET",
            f"{JOB}/plan",
            "The graph that runs.",
            of(api, lambda job: {"plan": job_views.plan(job.graph, job.id)}),
            PLAN,
        ),
        Operation(
            "GET",
            f"{JOB}/jobmanager/config",
            "The options of the cluster that runs the job.",
            of(api, lambda job: config_entries(api.settings)),
            CONFIG,
        ),
        Operation(
            "GET",
            f"{JOB}/jobmanager/environment",
            "The interpreter of the JobManager that runs the job.",
            of(api, lambda job: cluster_views.environment()),
            ENVIRONMENT,
        ),
        Operation(
            "GET",
            f"{JOB}/jobmanager/log-url",
            "Where the log of its JobManager is.",
            _log_url(api),
            {"url": str},
        ),
        Operation(
            "GET",
            f"{JOB}/taskmanagers/{{taskmanager}}/log-url",
            "Where the log of a TaskManager is.",
            _log_url(api),
            {"url": str},
        ),
    ]


def _detail(api: Api) -> Answer:
    return of(api, lambda job: job_views.job_detail(job, api.applications.id_of(job.id)))


def _of_its_run(api: Api) -> list[Operation]:
    return [
        Operation(
            "GET",
            f"{JOB}/accumulators",
            "The accumulators, merged over all subtasks.",
            of(api, job_views.accumulators),
            {"job-accumulators": [{}], "user-task-accumulators": ACCUMULATORS},
        ),
        Operation(
            "GET",
            f"{JOB}/exceptions",
            "Why attempts failed, the last first.",
            _exceptions(api),
            {
                "root-exception": OrNull(str),
                "timestamp": OrNull(int),
                "exceptionHistory": {"entries": [_EXCEPTION], "truncated": bool},
            },
            queries=(Query("maxExceptions", f"How many at most. Default: {MOST_EXCEPTIONS}.", int),),
        ),
        Operation(
            "GET",
            f"{JOB}/execution-result",
            "How a job has ended.",
            of(api, job_views.result_of),
            {
                "status": {"id": OneOf(("IN_PROGRESS", "COMPLETED"))},
                "job-execution-result": Optional({"id": str, "application-status": str, "net-runtime": int}),
            },
        ),
        Operation(
            "GET",
            f"{JOB}/metrics",
            "Metrics of a job as a whole.",
            _metrics(api),
            METRICS,
            queries=(GET_METRICS,),
        ),
    ]


def _to_end_it(api: Api) -> list[Operation]:
    return [
        Operation(
            "PATCH",
            JOB,
            "Cancel a job.",
            _cancel(api),
            {},
            queries=(Query("mode", "What is to be done.", ("cancel",)),),
            status=202,
        ),
        Operation(
            "PATCH",
            f"{JOB}/clientHeartbeat",
            "Say until when a job's client is there; the job is cancelled where that is not said again before.",
            _client_heard(api),
            {},
            body={"expiredTimestamp": Optional(int, "In milliseconds since the epoch.")},
            status=202,
        ),
        Operation(
            "POST",
            f"{JOB}/stop",
            "Stop a job with a savepoint.",
            _stop(api),
            TRIGGERED,
            body={
                "targetDirectory": Optional(OrNull(str), "Where the savepoint goes."),
                "drain": Optional(bool, "Whether timers of event time fire before."),
                "formatType": FORMAT,
                "triggerId": TRIGGER_ID,
            },
            status=202,
        ),
    ]


def of(api: Api, make: Callable[[DispatchedJob], Any]) -> Answer:
    """What can be told of a job without more questions."""

    async def answer(request: Request) -> Any:
        return make(api.job(request))

    return answer


def _log_url(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        api.job(request)
        path = "jobmanager"
        if "taskmanager" in request.path_params:
            path = f"taskmanagers/{api.taskmanager(request).description.id}"
        return {"url": f"{request.base_url}{path}/log"}

    return answer


def _ids(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        arriving = [{"id": job.id, "status": job_views.ARRIVING} for job in api.dispatcher.arriving()]
        known = [{"id": job.id, "status": job.status.name} for job in api.dispatcher.jobs()]
        return {"jobs": arriving + known}

    return answer


def _lines(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        arriving = [job_views.arriving_line(job) for job in api.dispatcher.arriving()]
        return {"jobs": arriving + [job_views.job_line(job) for job in api.dispatcher.jobs()]}

    return answer


def _submit(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job = await asyncio.to_thread(api.dispatcher.submit, await body_bytes(request))
        return {"jobUrl": f"/jobs/{job.id}", "jobid": job.id}

    return answer


def _cancel(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        if not api.chosen.may_cancel:
            raise Forbidden("jobs of this cluster are not cancelled here: web.cancel.enable is false")
        mode = request.query_params.get("mode", "cancel")
        if mode != "cancel":
            raise ProgramError(
                f"mode is cancel, not {mode!r}; to stop with a savepoint, POST to /jobs/:jobid/stop"
            )
        await asyncio.to_thread(_cancel_job, api, request.path_params["job"])
        return {}

    return answer


def _cancel_job(api: Api, job_id: str) -> None:
    with suppress(JobArrives):  # which is cancelled, too
        job = api.dispatcher.job(job_id)
        if job.has_ended and job.status is not JobStatus.CANCELED:
            raise AlreadyEnded(
                "Job cancellation failed because the job has already reached another terminal state "
                f"({job.status.name})."
            )
    api.dispatcher.cancel(job_id)


def _client_heard(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, given = api.job(request), await json_body(request)
        until_ms = given.get("expiredTimestamp")
        if type(until_ms) is not int or not 0 <= until_ms < 1 << 63:
            raise ProgramError(f"expiredTimestamp is a time in milliseconds, not {until_ms!r}")
        await asyncio.to_thread(api.dispatcher.client_is_there, job.id, until_ms)
        return {}

    return answer


def _exceptions(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        most = number_in_query(request, "maxExceptions", MOST_EXCEPTIONS)
        return job_views.exceptions(api.job(request), min(most, api.chosen.most_exceptions))

    return answer


def _metrics(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        return listed(of_job(api.job(request)), names_in_query(request, "get"))

    return answer


def _metrics_of_jobs(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        wanted = names_in_query(request, "jobs")
        jobs = api.dispatcher.jobs() if wanted is None else [api.dispatcher.job(each) for each in wanted]
        metrics = [of_job(job) for job in jobs]
        return aggregated(metrics, names_in_query(request, "get"), names_in_query(request, "agg"))

    return answer


def _stop(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, given = api.job(request), await json_body(request)
        wish = SavepointWish(
            text(given, "targetDirectory", "target-directory"), stops=True, drains=flag(given, "drain")
        )
        return trigger_savepoint(api, job, wish, given)

    return answer


def trigger_savepoint(api: Api, job: DispatchedJob, wish: SavepointWish, given: dict[str, Any]) -> Any:
    """Begin a savepoint; the id under which its outcome is found."""
    wanted = trigger_id(given)
    check_format(given)

    def start() -> "Future[str]":
        if job.has_ended:
            raise ProgramError(f"job {job.id} is {job.status.name}; a savepoint is taken of a job that runs")
        return job.job.savepoint(wish)

    return {"request-id": api.savepoints.begin(start, job.id, wanted)}


def check_format(given: dict[str, Any]) -> None:
    """A savepoint is canonical: it holds all entries, whichever state backend has them, and each backend can read it.

    :raises ProgramError: where another format is asked for.
    """
    wanted = text(given, "formatType")
    if wanted is None or wanted == "CANONICAL":
        return
    if wanted == "NATIVE":
        raise ProgramError(
            "formatType NATIVE is not in this version: a savepoint is CANONICAL, and every state backend reads it; what "
            "RocksDB writes in its own form are incremental checkpoints"
        )
    raise ProgramError(f"formatType is CANONICAL, not {wanted!r}")
