"""The application: routes made of operations, who may ask, and what errors become.

Every operation is under its path and under ``/v1``. An error is ``{"errors": [TEXT]}``, as in Flink.
"""

import hmac
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from penstock.deploy.cluster.addresses import is_loopback
from penstock.deploy.cluster.dispatched_job import JobNotFound
from penstock.deploy.cluster.secret import SUBMISSION_HEADER
from penstock.errors import Fault, PenstockError
from penstock.web.rest.api import Api
from penstock.web.rest.application_operations import application_operations
from penstock.web.rest.checkpoint_operations import checkpoint_operations
from penstock.web.rest.cluster_operations import cluster_operations, jobmanager_operations
from penstock.web.rest.job_operations import job_operations
from penstock.web.rest.openapi import document
from penstock.web.rest.operations import Answer, Content, Operation, in_order
from penstock.web.rest.program_operations import program_operations
from penstock.web.rest.requests import AlreadyEnded, Forbidden, TooLarge, TooSlow
from penstock.web.rest.requirement_operations import requirement_operations
from penstock.web.rest.rescaling_operations import rescaling_operations
from penstock.web.rest.row_operations import row_operations
from penstock.web.rest.taskmanager_operations import taskmanager_operations
from penstock.web.rest.vertex_operations import vertex_operations

OPENAPI = "/openapi.json"

_log = logging.getLogger(__name__)
_STATUS = {Fault.PROGRAM: 400, Fault.OUTSIDE: 503}


def operations(api: Api) -> list[Operation]:
    """Every operation, in the order of the reference."""
    groups = (
        cluster_operations,
        jobmanager_operations,
        taskmanager_operations,
        job_operations,
        checkpoint_operations,
        rescaling_operations,
        requirement_operations,
        vertex_operations,
        row_operations,
        program_operations,
        application_operations,
    )
    found = [operation for group in groups for operation in group(api)]
    described = document(found)

    async def answer(request: Request) -> Any:
        del request
        return described

    return [*found, Operation("GET", OPENAPI, "This description, as OpenAPI 3.1.", answer, {"openapi": str})]


def application(api: Api) -> Starlette:
    """The application."""
    routes = [
        Route(prefix + operation.path, _guarded(api, operation), methods=[operation.method])
        for prefix in ("", "/v1")
        for operation in in_order(operations(api))
    ]
    made = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found, 400: _not_found})
    made.router.redirect_slashes = False
    made.state.most_body_bytes = api.chosen.most_body_bytes
    return made


def _guarded(api: Api, operation: Operation) -> Answer:
    async def guarded(request: Request) -> Response:
        answer = await answered(request)
        if api.chosen.origin is not None:
            answer.headers["Access-Control-Allow-Origin"] = api.chosen.origin
        return answer

    async def answered(request: Request) -> Response:
        refusal = _refusal(api, operation, request)
        if refusal is not None:
            return refusal
        try:
            made = await operation.answer(request)
        except JobNotFound as error:
            return _error(404, str(error))
        except Forbidden as error:
            return _error(403, str(error))
        except AlreadyEnded as error:
            return _error(409, str(error))
        except TooLarge as error:
            return _error(413, str(error))
        except TooSlow as error:
            return _error(408, str(error))
        except PenstockError as error:
            return _error(_STATUS.get(error.fault, 500), str(error))
        except Exception as error:  # noqa: BLE001  (a bug: it is told and logged, and the server goes on)
            _log.exception("%s %s broke", operation.method, request.url.path)
            return _error(
                500, f"a bug in penstock: {type(error).__name__}: {error}; the JobManager's log has it"
            )
        return made if isinstance(made, Response) else _json(made, operation.status)

    return guarded


def _refusal(api: Api, operation: Operation, request: Request) -> Response | None:
    """Why a client may not ask this; None where it may."""
    origin = request.headers.get("origin")
    if operation.method != "GET" and origin and origin.partition("://")[2] != request.headers.get("host"):
        return _error(403, f"a page of {origin} may not change anything here")
    if api.token is not None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if operation.content is Content.HTML or hmac.compare_digest(given.encode(), api.token.encode()):
            return None
        return _error(401, "this cluster asks for a token: send the header 'Authorization: Bearer TOKEN'")
    if not _is_meant(api, request):
        return _error(
            403,
            f"{request.headers.get('host')!r} is no name of this cluster: ask it as localhost, set rest.address to the name "
            "by which clients reach it, or set rest.token",
        )
    proof = request.headers.get(SUBMISSION_HEADER, "")
    if operation.needs_proof and not hmac.compare_digest(proof.encode(), api.submission_proof.encode()):
        return _error(
            401,
            "a job is code that runs as the cluster's owner, so only who knows the cluster's secret submits one: set "
            "PENSTOCK_HOME to the cluster's home, or rest.token on both sides",
        )
    return None


def _is_meant(api: Api, request: Request) -> bool:
    """Whether the client knows whom it asks. A page elsewhere, whose name was made to point here, does not."""
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:  # no host at all, such as [
        return False
    own = (api.address[0], api.settings.get("rest.address"), api.settings.get("jobmanager.rpc.address"))
    return is_loopback(host) or host in [name.lower() for name in own if name]


def _json(made: Any, status: int = 200) -> Response:
    """JSON in ASCII, so that texts of any kind can be written."""
    return Response(json.dumps(made), status, media_type="application/json")


def _error(status: int, text: str) -> Response:
    return _json({"errors": [text]}, status)


async def _not_found(request: Request, error: Exception) -> Response:
    return _error(
        getattr(error, "status_code", 404), f"there is nothing at {request.method} {request.url.path}"
    )
