"""TaskManagers: slots, metrics, threads, and their files."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from penstock.deploy.cluster.dispatched_job import JobNotFound
from penstock.errors import OutsideError
from penstock.web.rest import cluster_views
from penstock.web.rest.api import Api
from penstock.web.rest.cluster_operations import FROM, GET_METRICS, LOGS, METRICS, THREADS, text_answer
from penstock.web.rest.job_operations import AGGREGATED, AGGREGATION
from penstock.web.rest.metric_views import aggregated, listed
from penstock.web.rest.operations import Answer, Content, Operation, Query
from penstock.web.rest.requests import names_in_query, number_in_query, plain_name
from penstock.web.rest.shapes import MapOf, OrNull

ANSWER_S = 30.0
TASKMANAGER = "/taskmanagers/{taskmanager}"
_RESOURCE = {
    "cpuCores": float, "taskHeapMemory": int, "taskOffHeapMemory": int, "managedMemory": int, "networkMemory": int,
    "extendedResources": MapOf(float),
}  # fmt: skip
_TASKMANAGER = {
    "id": str, "path": str, "pid": int, "timeSinceLastHeartbeat": int, "slotsNumber": int, "freeSlots": int,
    "totalResource": _RESOURCE, "freeResource": _RESOURCE, "memoryConfiguration": MapOf(OrNull(int)),
    "hardware": {"cpuCores": int, "physicalMemory": int, "freeMemory": int, "managedMemory": int},
    "metrics": {}, "allocatedSlots": [{"jobId": str, "resource": _RESOURCE}],
}  # fmt: skip


def taskmanager_operations(api: Api) -> list[Operation]:
    """Those of TaskManagers."""
    return [
        Operation("GET", "/taskmanagers", "All TaskManagers.", _all(api), {"taskmanagers": [_TASKMANAGER]}),
        Operation(
            "GET",
            "/taskmanagers/metrics",
            "Metrics of TaskManagers, put together.",
            _aggregated(api),
            AGGREGATED,
            queries=(GET_METRICS, AGGREGATION, Query("taskmanagers", "Ids, with commas in between.")),
        ),
        Operation("GET", TASKMANAGER, "A TaskManager.", _one(api), _TASKMANAGER),
        Operation(
            "GET",
            f"{TASKMANAGER}/metrics",
            "Metrics of a TaskManager's process.",
            _metrics(api),
            METRICS,
            queries=(GET_METRICS,),
        ),
        Operation(
            "GET", f"{TASKMANAGER}/thread-dump", "What each of its threads does.", _threads(api), THREADS
        ),
        Operation("GET", f"{TASKMANAGER}/logs", "The files of its log directory.", _files(api), LOGS),
        Operation(
            "GET", f"{TASKMANAGER}/log", "Its log.", _file(api, "log"), content=Content.TEXT, queries=(FROM,)
        ),
        Operation(
            "GET",
            f"{TASKMANAGER}/stdout",
            "What it and the workers in it have printed.",
            _file(api, "out"),
            content=Content.TEXT,
            queries=(FROM,),
        ),
        Operation(
            "GET",
            f"{TASKMANAGER}/logs/{{name}}",
            "One file of its log directory.",
            _file(api, None),
            content=Content.TEXT,
            queries=(FROM,),
        ),
    ]


def _all(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        return {"taskmanagers": [cluster_views.taskmanager(entry) for entry in api.roster.entries()]}

    return answer


def _one(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        return cluster_views.taskmanager_detail(api.taskmanager(request))

    return answer


def _metrics(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        return listed(api.taskmanager(request).metrics, names_in_query(request, "get"))

    return answer


def _aggregated(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        entries = {entry.description.id: entry for entry in api.roster.entries()}
        wanted = names_in_query(request, "taskmanagers")
        for each in wanted or []:
            if each not in entries:
                raise JobNotFound(f"there is no TaskManager {each}")
        chosen = entries if wanted is None else wanted
        found = [entries[each].metrics for each in chosen]
        return aggregated(found, names_in_query(request, "get"), names_in_query(request, "agg"))

    return answer


def _threads(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        entry = api.taskmanager(request)
        return cluster_views.threads(await _asked(entry.description.id, api.roster.ask_for_threads))

    return answer


def _files(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        files = await _asked(api.taskmanager(request).description.id, api.roster.ask_for_files)
        return {"logs": [{"name": n, "size": size, "mtime": at} for n, size, at in files]}

    return answer


def _file(api: Api, kind: str | None) -> Answer:
    async def answer(request: Request) -> Response:
        entry = api.taskmanager(request)
        name = kind or plain_name(request)
        if name is None:
            raise JobNotFound(f"there is no file {request.path_params['name']!r}")
        start = number_in_query(request, "start", 0)
        part = await _asked(entry.description.id, lambda id: api.roster.ask_for_file(id, name, start))
        return text_answer(part.content, name, part.start)

    return answer


async def _asked(taskmanager: str, question: "Callable[[str], Future[Any]]") -> Any:
    try:
        return await asyncio.wait_for(asyncio.wrap_future(question(taskmanager)), ANSWER_S)
    except TimeoutError as error:
        raise OutsideError(f"TaskManager {taskmanager} does not answer within {ANSWER_S:g} s") from error
