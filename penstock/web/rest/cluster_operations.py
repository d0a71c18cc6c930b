"""The cluster as a whole, and the JobManager's own files, metrics and threads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from penstock.config.masking import masked
from penstock.deploy.cluster.dispatched_job import JobNotFound
from penstock.deploy.cluster.file_parts import read_from
from penstock.deploy.cluster.thread_stacks import thread_stacks
from penstock.deploy.measured import of_jobmanager
from penstock.web.rest import cluster_views
from penstock.web.rest.api import Api
from penstock.web.rest.metric_views import listed
from penstock.web.rest.operations import Answer, Content, Operation, Query
from penstock.web.rest.page import page
from penstock.web.rest.requests import names_in_query, number_in_query, plain_name
from penstock.web.rest.shapes import Optional

GET_METRICS = Query("get", "Names with commas in between; without them all names are listed.")
FROM = Query("start", "From which byte on; the header X-File-Start says from which it is.", int)
METRICS = [{"id": str, "value": Optional(str)}]
CONFIG = [{"key": str, "value": str}]
LOGS = {"logs": [{"name": str, "size": int, "mtime": int}]}
THREADS = {"threadInfos": [{"threadName": str, "stringifiedThreadInfo": str}]}
ENVIRONMENT = {"jvm": {"version": str, "arch": str, "options": [str]}, "classpath": [str]}
FILE_START = "X-File-Start"


def cluster_operations(api: Api) -> list[Operation]:
    """Those of the cluster."""
    numbers = ("taskmanagers", "slots-total", "slots-available")
    jobs = ("jobs-running", "jobs-finished", "jobs-cancelled", "jobs-failed")
    return [
        Operation("GET", "/", "A page for people.", _page, content=Content.HTML),
        Operation(
            "GET",
            "/overview",
            "The cluster in figures.",
            _now(lambda: cluster_views.overview(api.dispatcher.jobs(), api.roster.entries())),
            {**dict.fromkeys((*numbers, *jobs), int), "flink-version": str, "flink-commit": str},
        ),
        Operation(
            "GET",
            "/config",
            "What a page has to know.",
            _now(lambda: cluster_views.config(api.chosen)),
            {
                "refresh-interval": int,
                "timezone-name": str,
                "timezone-offset": int,
                "flink-version": str,
                "flink-revision": str,
                "features": {"web-submit": bool, "web-cancel": bool},
            },
        ),
        Operation("DELETE", "/cluster", "End all processes of the cluster.", _shut_down(api), {}),
        Operation(
            "GET",
            "/datasets",
            "Cached data of jobs; there is none in clusters.",
            _now(lambda: {"dataSets": []}),
            {"dataSets": [{}]},
        ),
    ]


def jobmanager_operations(api: Api) -> list[Operation]:
    """Those of the JobManager's process."""
    return [
        Operation(
            "GET",
            "/jobmanager/config",
            "The options of the cluster; secrets are stars.",
            _now(lambda: config_entries(api.settings)),
            CONFIG,
        ),
        Operation(
            "GET",
            "/jobmanager/environment",
            "The interpreter, and where modules are imported from.",
            _now(cluster_views.environment),
            ENVIRONMENT,
        ),
        Operation(
            "GET",
            "/jobmanager/metrics",
            "Metrics of the JobManager.",
            _metrics(api),
            METRICS,
            queries=(GET_METRICS,),
        ),
        Operation(
            "GET",
            "/jobmanager/thread-dump",
            "What each thread does.",
            _now(lambda: cluster_views.threads(thread_stacks())),
            THREADS,
        ),
        Operation(
            "GET", "/jobmanager/logs", "The files of the log directory.", _now(lambda: _files(api)), LOGS
        ),
        Operation(
            "GET",
            "/jobmanager/log",
            "The log.",
            _file(lambda: api.log),
            content=Content.TEXT,
            queries=(FROM,),
        ),
        Operation(
            "GET",
            "/jobmanager/stdout",
            "What was printed.",
            _file(lambda: api.out),
            content=Content.TEXT,
            queries=(FROM,),
        ),
        Operation(
            "GET",
            "/jobmanager/logs/{name}",
            "One file of the log directory.",
            _named(api),
            content=Content.TEXT,
            queries=(FROM,),
        ),
    ]


def config_entries(settings: dict[str, str]) -> list[dict[str, str]]:
    """Options as Flink lists them."""
    return [{"key": key, "value": value} for key, value in sorted(masked(settings).items())]


def text_answer(content: bytes | None, name: str, start: int) -> Response:
    """The content of a file, from the byte ``start`` on.

    :raises JobNotFound: where there is none.
    """
    if content is None:
        raise JobNotFound(f"there is no file {name}")
    headers = {FILE_START: str(start)}
    return PlainTextResponse(content, headers=headers, media_type="text/plain; charset=utf-8")


def _now(make: Callable[[], Any]) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        return make()

    return answer


async def _page(request: Request) -> Response:
    del request
    return HTMLResponse(page())


def _shut_down(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        api.stop_cluster()
        return {}

    return answer


def _metrics(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        metrics = of_jobmanager(api.dispatcher.jobs(), api.roster.counted(), api.machine)
        return listed(metrics, names_in_query(request, "get"))

    return answer


def _files(api: Api) -> Any:
    if not api.log:
        return {"logs": []}
    files = sorted(path for path in Path(api.log).parent.iterdir() if path.is_file())
    stats = [(path.name, path.stat()) for path in files]
    return {"logs": [{"name": n, "size": s.st_size, "mtime": int(s.st_mtime * 1000)} for n, s in stats]}


def _file(path: Callable[[], str]) -> Answer:
    async def answer(request: Request) -> Response:
        content, start = read_from(path(), number_in_query(request, "start", 0))
        return text_answer(content, Path(path()).name, start)

    return answer


def _named(api: Api) -> Answer:
    async def answer(request: Request) -> Response:
        name, content, start = plain_name(request), None, 0
        if name is not None and name in {entry["name"] for entry in _files(api)["logs"]}:
            content, start = read_from(Path(api.log).parent / name, number_in_query(request, "start", 0))
        return text_answer(content, request.path_params["name"], start)

    return answer
