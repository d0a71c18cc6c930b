"""Jobs at another parallelism."""

from typing import Any

from starlette.requests import Request

from penstock.errors import ProgramError
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import JOB, TRIGGERED
from penstock.web.rest.operations import Answer, Operation, Query
from penstock.web.rest.requests import number_in_query
from penstock.web.rest.shapes import OneOf, OrNull

_OUTCOME = {"status": {"id": OneOf(("IN_PROGRESS", "COMPLETED"))}, "operation": OrNull({})}


def rescaling_operations(api: Api) -> list[Operation]:
    """Those of rescaling."""
    return [
        Operation(
            "PATCH",
            f"{JOB}/rescaling",
            "Have a job go on at another parallelism, from its latest checkpoint.",
            _rescale(api),
            TRIGGERED,
            queries=(Query("parallelism", "The new parallelism.", int),),
            status=202,
        ),
        Operation(
            "GET",
            f"{JOB}/rescaling/{{trigger}}",
            "What became of a rescaling.",
            _outcome(api),
            _OUTCOME,
        ),
    ]


def _rescale(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job = api.job(request)
        parallelism = number_in_query(request, "parallelism", 0)
        if not parallelism:
            raise ProgramError("name the new parallelism: ?parallelism=N")
        return {"request-id": api.rescalings.add(api.dispatcher.rescale(job.id, parallelism))}

    return answer


def _outcome(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        api.job(request)
        return api.rescalings.status(request.path_params["trigger"])

    return answer
