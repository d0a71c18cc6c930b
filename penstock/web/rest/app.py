"""The routes. Requests that change something need a token as soon as the server listens beyond the loopback interface."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from penstock.config.masking import masked
from penstock.dataflow.job import JobVertex
from penstock.dataflow.recovery import SavepointWish
from penstock.deploy.cluster.dispatcher import DispatchedJob, Dispatcher, JobNotFound
from penstock.deploy.cluster.roster import Roster
from penstock.deploy.cluster.secret import SUBMISSION_HEADER
from penstock.errors import Fault, PenstockError, ProgramError
from penstock.web.rest import views
from penstock.web.rest.page import overview_page
from penstock.web.rest.triggers import Triggers

MOST_BODY_BYTES = 100 << 20
ANSWER_S = 30.0

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True, eq=False)
class Api:
    """What the routes work on. ``token`` is asked for where it is set, else submissions need ``submission_proof``;
    ``stop_cluster`` ends all processes."""

    dispatcher: Dispatcher
    roster: Roster
    settings: dict[str, str]
    stop_cluster: Callable[[], None]
    submission_proof: str
    token: str | None = None
    log: str = ""
    out: str = ""
    savepoints: Triggers = field(default_factory=Triggers)
    disposals: Triggers = field(default_factory=Triggers)

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route(prefix + path, self._guarded(answer), methods=[method])
            for prefix in ("", "/v1")
            for method, path, answer in self._table()
        ]
        return Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})

    def _table(self) -> list[tuple[str, str, Answer]]:
        job, vertex = "/jobs/{job}", "/jobs/{job}/vertices/{vertex}"
        return [
            ("GET", "/", self._page),
            (
                "GET",
                "/overview",
                self._json(lambda: views.overview(self.dispatcher.jobs(), self.roster.entries())),
            ),
            ("GET", "/config", self._json(views.config)),
            ("DELETE", "/cluster", self._shut_down),
            ("GET", "/datasets", self._json(lambda: {"dataSets": []})),
            ("GET", "/jobs", self._json(self._ids)),
            (
                "GET",
                "/jobs/overview",
                self._json(lambda: {"jobs": [views.job_line(j) for j in self.dispatcher.jobs()]}),
            ),
            ("POST", "/jobs", self._submit),
            ("GET", job, self._of_job(views.job_detail)),
            ("PATCH", job, self._cancel),
            ("GET", f"{job}/status", self._of_job(lambda j: {"status": j.status.name})),
            ("GET", f"{job}/config", self._of_job(_config_of)),
            ("GET", f"{job}/plan", self._of_job(lambda j: {"plan": views.plan(j.graph, j.id)})),
            ("GET", f"{job}/accumulators", self._of_job(views.accumulators)),
            ("GET", f"{job}/exceptions", self._of_job(views.exceptions)),
            ("GET", f"{job}/execution-result", self._of_job(_result_of)),
            ("GET", f"{job}/metrics", self._metrics),
            ("GET", f"{job}/checkpoints", self._of_job(views.checkpoint_statistics)),
            ("GET", f"{job}/checkpoints/config", self._of_job(views.checkpoint_config)),
            ("POST", f"{job}/savepoints", self._savepoint),
            ("GET", f"{job}/savepoints/{{trigger}}", self._savepoint_status),
            ("POST", f"{job}/stop", self._stop),
            ("POST", "/savepoint-disposal", self._dispose),
            ("GET", "/savepoint-disposal/{trigger}", self._disposal_status),
            ("GET", vertex, self._of_vertex(views.vertex_detail)),
            ("GET", f"{vertex}/watermarks", self._of_vertex(views.watermarks)),
            ("GET", f"{vertex}/backpressure", self._of_vertex(views.backpressure)),
            ("GET", "/taskmanagers", self._json(self._taskmanagers)),
            ("GET", "/taskmanagers/{tm}", self._taskmanager),
            ("GET", "/taskmanagers/{tm}/log", partial(self._taskmanager_file, "log")),
            ("GET", "/taskmanagers/{tm}/stdout", partial(self._taskmanager_file, "out")),
            ("GET", "/taskmanagers/{tm}/logs", self._taskmanager_files),
            ("GET", "/taskmanagers/{tm}/logs/{name}", partial(self._taskmanager_file, None)),
            ("GET", "/jobmanager/config", self._json(self._config)),
            ("GET", "/jobmanager/log", partial(self._own_file, "log")),
            ("GET", "/jobmanager/stdout", partial(self._own_file, "out")),
            ("GET", "/jobmanager/logs", self._json(self._own_files)),
            ("GET", "/jobmanager/logs/{name}", partial(self._own_file, None)),
        ]

    # Who may ask, and what errors become --------------------------------------------------------------------------------

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: Request) -> Response:
            if not self._is_allowed(request):
                return _error(
                    401, "this cluster asks for a token: send the header 'Authorization: Bearer TOKEN'"
                )
            try:
                return await answer(request)
            except JobNotFound as error:
                return _error(404, str(error))
            except PenstockError as error:
                return _error(400 if error.fault is Fault.PROGRAM else 500, str(error))

        return guarded

    def _is_allowed(self, request: Request) -> bool:
        if self.token is None:
            return True
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), self.token.encode())

    # Small makers of answers --------------------------------------------------------------------------------------------

    def _json(self, make: Callable[[], Any]) -> Answer:
        async def answer(request: Request) -> Response:
            del request
            return JSONResponse(make())

        return answer

    def _of_job(self, make: Callable[[DispatchedJob], Any]) -> Answer:
        async def answer(request: Request) -> Response:
            return JSONResponse(make(self._job(request)))

        return answer

    def _of_vertex(self, make: Callable[[DispatchedJob, JobVertex], Any]) -> Answer:
        async def answer(request: Request) -> Response:
            job = self._job(request)
            wanted = request.path_params["vertex"]
            for vertex in job.graph.vertices:
                if views.vertex_id(vertex) == wanted:
                    return JSONResponse(make(job, vertex))
            raise JobNotFound(f"job {job.id} has no vertex {wanted}")

        return answer

    def _job(self, request: Request) -> DispatchedJob:
        return self.dispatcher.job(request.path_params["job"])

    # Jobs ---------------------------------------------------------------------------------------------------------------

    def _ids(self) -> Any:
        return {"jobs": [{"id": job.id, "status": job.status.name} for job in self.dispatcher.jobs()]}

    async def _submit(self, request: Request) -> Response:
        proof = request.headers.get(SUBMISSION_HEADER, "")
        if self.token is None and not hmac.compare_digest(proof.encode(), self.submission_proof.encode()):
            return _error(
                401,
                "a job is code that runs as the cluster's owner, so only who knows the cluster's secret submits one: set "
                "PENSTOCK_HOME to the cluster's home, or rest.token on both sides",
            )
        job = await asyncio.to_thread(self.dispatcher.submit, await _body(request))
        return JSONResponse({"jobUrl": f"/jobs/{job.id}", "jobid": job.id}, 202)

    async def _cancel(self, request: Request) -> Response:
        mode = request.query_params.get("mode", "cancel")
        if mode != "cancel":
            raise ProgramError(
                f"mode is cancel, not {mode!r}; to stop with a savepoint, POST to /jobs/:jobid/stop"
            )
        job = self._job(request)
        if not job.has_ended:
            job.job.cancel()
        return JSONResponse({}, 202)

    async def _metrics(self, request: Request) -> Response:
        metrics = self._job(request).job.metrics()
        wanted = request.query_params.get("get")
        if wanted is None:
            return JSONResponse([{"id": name} for name in sorted(metrics)])
        names = [name for name in wanted.split(",") if name in metrics]
        return JSONResponse([{"id": name, "value": str(metrics[name])} for name in names])

    async def _savepoint(self, request: Request) -> Response:
        given = await _json_body(request)
        cancels = given.get("cancel-job", False)
        if not isinstance(cancels, bool):
            raise ProgramError(f"cancel-job is true or false, not {cancels!r}")
        wish = SavepointWish(_directory(given.get("target-directory")), cancels=cancels)
        return self._trigger(self._job(request), wish, given)

    async def _stop(self, request: Request) -> Response:
        given = await _json_body(request)
        wish = SavepointWish(
            _directory(given.get("targetDirectory")), stops=True, drains=bool(given.get("drain"))
        )
        return self._trigger(self._job(request), wish, given)

    def _trigger(self, job: DispatchedJob, wish: SavepointWish, given: dict[str, Any]) -> Response:
        if job.has_ended:
            raise ProgramError(f"job {job.id} is {job.status.name}; a savepoint is taken of a job that runs")
        trigger = self.savepoints.add(
            job.job.savepoint(wish), given.get("triggerId") or given.get("trigger-id")
        )
        return JSONResponse({"request-id": trigger}, 202)

    async def _savepoint_status(self, request: Request) -> Response:
        return JSONResponse(self.savepoints.status(request.path_params["trigger"]))

    async def _dispose(self, request: Request) -> Response:
        given = await _json_body(request)
        path = given.get("savepoint-path")
        if not isinstance(path, str) or not path:
            raise ProgramError('a disposal names the savepoint: {"savepoint-path": ...}')
        return JSONResponse(
            {"request-id": self.disposals.add(_in_thread(lambda: dispose_savepoint(path)))}, 202
        )

    async def _disposal_status(self, request: Request) -> Response:
        return JSONResponse(self.disposals.status(request.path_params["trigger"]))

    # TaskManagers and files ---------------------------------------------------------------------------------------------

    def _taskmanagers(self) -> Any:
        return {"taskmanagers": [views.taskmanager(entry) for entry in self.roster.entries()]}

    def _find(self, request: Request) -> str:
        wanted: str = request.path_params["tm"]
        if not any(entry.description.id == wanted for entry in self.roster.entries()):
            raise JobNotFound(f"there is no TaskManager {wanted}")
        return wanted

    async def _taskmanager(self, request: Request) -> Response:
        wanted = self._find(request)
        (entry,) = [entry for entry in self.roster.entries() if entry.description.id == wanted]
        return JSONResponse(views.taskmanager(entry))

    async def _taskmanager_file(self, name: str | None, request: Request) -> Response:
        wanted = name or _plain_name(request)
        answer = self.roster.ask_for_file(self._find(request), wanted)
        content = await asyncio.wait_for(asyncio.wrap_future(answer), ANSWER_S)
        return _text(content, wanted)

    async def _taskmanager_files(self, request: Request) -> Response:
        answer = self.roster.ask_for_files(self._find(request))
        files = await asyncio.wait_for(asyncio.wrap_future(answer), ANSWER_S)
        return JSONResponse({"logs": [{"name": n, "size": size, "mtime": at} for n, size, at in files]})

    def _config(self) -> Any:
        return [{"key": key, "value": value} for key, value in sorted(masked(self.settings).items())]

    def _own_files(self) -> Any:
        if not self.log:
            return {"logs": []}
        files = sorted(path for path in Path(self.log).parent.iterdir() if path.is_file())
        stats = [(path.name, path.stat()) for path in files]
        return {"logs": [{"name": n, "size": s.st_size, "mtime": int(s.st_mtime * 1000)} for n, s in stats]}

    async def _own_file(self, name: str | None, request: Request) -> Response:
        if name is not None:
            path = Path(self.log if name == "log" else self.out)
        else:
            path = Path(self.log or ".").parent / _plain_name(request)
        return _text(path.read_bytes() if self.log and path.is_file() else None, path.name)

    # The cluster --------------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> Response:
        del request
        return HTMLResponse(overview_page(self.dispatcher.jobs(), self.roster.entries()))

    async def _shut_down(self, request: Request) -> Response:
        del request
        self.stop_cluster()
        return JSONResponse({})


def dispose_savepoint(path: str) -> None:
    """Delete a savepoint, and nothing that is none.

    :raises PenstockError: where there is none at the path.
    """
    from penstock.checkpoint.manifest import read_manifest
    from penstock.storage.writing import delete_directory

    _, place = read_manifest(path)
    if place.directory is None:
        raise ProgramError(f"there is no savepoint at {path}")
    delete_directory(place.directory)


def _config_of(job: DispatchedJob) -> Any:
    settings = masked(job.graph.settings)
    execution = {
        "restart-strategy": settings.get("restart-strategy.type", "default"),
        "job-parallelism": job.graph.parallelism,
        "object-reuse-mode": settings.get("pipeline.object-reuse") == "true",
        "user-config": settings,
    }
    return {"jid": job.id, "name": job.name, "execution-config": execution}


def _result_of(job: DispatchedJob) -> Any:
    if not job.has_ended:
        return {"status": {"id": "IN_PROGRESS"}}
    result = {
        "id": job.id,
        "application-status": {"FINISHED": "SUCCEEDED"}.get(job.status.name, job.status.name),
        "accumulator-results": {name: str(value) for name, value in job.job.accumulators().items()},
        "net-runtime": job.net_runtime_ms,
        "failure": job.failure or None,
    }
    return {"status": {"id": "COMPLETED"}, "job-execution-result": result}


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise ProgramError(f"the request is larger than {MOST_BODY_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


async def _json_body(request: Request) -> dict[str, Any]:
    body = await _body(request)
    try:
        made = json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise ProgramError(f"the request is no JSON: {error}") from error
    if not isinstance(made, dict):
        raise ProgramError("the request has to be an object of JSON")
    return made


def _directory(given: Any) -> str | None:
    if given is not None and not isinstance(given, str):
        raise ProgramError(f"a directory is a text, not {given!r}")
    return given or None


def _plain_name(request: Request) -> str:
    name: str = request.path_params["name"]
    if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
        raise JobNotFound(f"there is no file {name!r}")
    return name


def _text(content: bytes | None, name: str) -> Response:
    if content is None:
        raise JobNotFound(f"there is no file {name}")
    return PlainTextResponse(content, media_type="text/plain; charset=utf-8")


def _in_thread(work: Callable[[], Any]) -> "Future[Any]":
    import threading

    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001  (whoever asks for the outcome gets it)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _error(status: int, text: str) -> Response:
    return JSONResponse({"errors": [text]}, status)


async def _not_found(request: Request, error: Exception) -> Response:
    return _error(
        getattr(error, "status_code", 404), f"there is nothing at {request.method} {request.url.path}"
    )
