"""Vertices of jobs, their subtasks and attempts."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from penstock.dataflow.job import JobVertex
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.web.rest import vertex_views
from penstock.web.rest.api import Api
from penstock.web.rest.cluster_operations import GET_METRICS, METRICS
from penstock.web.rest.job_operations import ACCUMULATORS, AGGREGATED, AGGREGATION, JOB
from penstock.web.rest.metric_views import aggregated, listed
from penstock.web.rest.operations import Answer, Operation, Query
from penstock.web.rest.requests import names_in_query, number_in_path, numbers_in_query
from penstock.web.rest.shapes import MapOf

VERTEX = JOB + "/vertices/{vertex}"
SUBTASK = VERTEX + "/subtasks/{subtask}"
_SUBTASK = {
    "subtask": int, "status": str, "attempt": int, "endpoint": str, "start-time": int, "end-time": int, "duration": int,
    "taskmanager-id": str, "metrics": {"read-records": int, "write-records": int},
}  # fmt: skip
_TIMES = {"subtask": int, "host": str, "duration": int, "timestamps": MapOf(int)}
_PRESSURE = {
    "subtask": int, "attempt-number": int, "backpressureLevel": str, "ratio": float, "idleRatio": float, "busyRatio": float,
}  # fmt: skip
_OWN = {"subtask": int, "attempt": int, "id": str, "user-accumulators": ACCUMULATORS}
_BY_SUBTASK = {
    "id": str,
    "parallelism": int,
    "subtasks": [{"subtask": int, "user-accumulators": ACCUMULATORS}],
}


def vertex_operations(api: Api) -> list[Operation]:
    """Those of vertices."""
    return [*_of_all_subtasks(api), *_of_metrics(api), *_of_one_subtask(api)]


def _of_all_subtasks(api: Api) -> list[Operation]:
    views = vertex_views

    def vertex(
        path: str, summary: str, make: Callable[[DispatchedJob, JobVertex], Any], gives: Any
    ) -> Operation:
        return Operation("GET", f"{VERTEX}{path}", summary, _of_vertex(api, make), gives)

    return [
        vertex(
            "",
            "A vertex with its subtasks.",
            views.vertex_detail,
            {
                "id": str,
                "name": str,
                "parallelism": int,
                "maxParallelism": int,
                "now": int,
                "subtasks": [_SUBTASK],
            },
        ),
        vertex(
            "/watermarks",
            "The watermark of each subtask that has one.",
            views.watermarks,
            [{"id": str, "value": str}],
        ),
        vertex(
            "/backpressure",
            "How much of its time each subtask waits for those behind it.",
            views.backpressure,
            {"status": str, "backpressureLevel": str, "end-timestamp": int, "subtasks": [_PRESSURE]},
        ),
        vertex(
            "/accumulators",
            "The accumulators of a vertex.",
            views.vertex_accumulators,
            {"id": str, "user-accumulators": ACCUMULATORS},
        ),
        vertex(
            "/subtasks/accumulators",
            "The accumulators of each subtask.",
            views.accumulators_by_subtask,
            _BY_SUBTASK,
        ),
        vertex(
            "/subtasktimes",
            "When each subtask came into its states.",
            views.subtask_times,
            {"id": str, "name": str, "now": int, "subtasks": [_TIMES]},
        ),
        vertex(
            "/taskmanagers",
            "A vertex by where its subtasks run.",
            views.by_taskmanager,
            {"id": str, "name": str, "now": int, "taskmanagers": [{"taskmanager-id": str, "status": str}]},
        ),
    ]


def _of_metrics(api: Api) -> list[Operation]:
    return [
        Operation(
            "GET",
            f"{VERTEX}/metrics",
            "Metrics of all subtasks; names begin with the number of the subtask.",
            _metrics(api),
            METRICS,
            queries=(GET_METRICS,),
        ),
        Operation(
            "GET",
            f"{VERTEX}/subtasks/metrics",
            "Metrics of subtasks, put together.",
            _aggregated(api),
            AGGREGATED,
            queries=(GET_METRICS, AGGREGATION, Query("subtasks", "Numbers and ranges, such as 0,2-4.")),
        ),
    ]


def _of_one_subtask(api: Api) -> list[Operation]:
    views = vertex_views
    attempt = SUBTASK + "/attempts/{attempt}"
    return [
        Operation(
            "GET", SUBTASK, "A subtask in its last attempt.", _of_subtask(api, views.subtask_detail), _SUBTASK
        ),
        Operation(
            "GET",
            f"{SUBTASK}/metrics",
            "Metrics of a subtask and of the operators in it.",
            _of_subtask_metrics(api),
            METRICS,
            queries=(GET_METRICS,),
        ),
        Operation(
            "GET",
            attempt,
            "An attempt: the last one, or one of those before it.",
            _of_attempt(api, views.attempt_detail),
            _SUBTASK,
        ),
        Operation(
            "GET",
            f"{attempt}/accumulators",
            "The accumulators of an attempt.",
            _of_attempt(api, views.attempt_accumulators),
            _OWN,
        ),
    ]


def _of_vertex(api: Api, make: Callable[[DispatchedJob, JobVertex], Any]) -> Answer:
    async def answer(request: Request) -> Any:
        return make(*api.vertex(request))

    return answer


def _of_subtask(api: Api, make: Callable[[DispatchedJob, JobVertex, int], Any]) -> Answer:
    async def answer(request: Request) -> Any:
        return make(*api.subtask(request))

    return answer


def _of_attempt(api: Api, make: Callable[[DispatchedJob, JobVertex, int, int | None], Any]) -> Answer:
    async def answer(request: Request) -> Any:
        return make(*api.subtask(request), number_in_path(request, "attempt"))

    return answer


def _metrics(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, vertex = api.vertex(request)
        measured = job.measured()
        found = {
            f"{index}.{name}": value
            for index in range(vertex.parallelism)
            for name, value in measured.of_vertex(vertex, index).items()
        }
        return listed(found, names_in_query(request, "get"))

    return answer


def _of_subtask_metrics(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, vertex, index = api.subtask(request)
        return listed(job.measured().of_vertex(vertex, index), names_in_query(request, "get"))

    return answer


def _aggregated(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, vertex = api.vertex(request)
        wanted = numbers_in_query(request, "subtasks")
        measured = job.measured()
        chosen = [i for i in range(vertex.parallelism) if wanted is None or i in wanted]
        found = [measured.of_vertex(vertex, index) for index in chosen]
        return aggregated(found, names_in_query(request, "get"), names_in_query(request, "agg"))

    return answer
