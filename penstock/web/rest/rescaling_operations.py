"""Jobs at another parallelism."""

from typing import Any

from starlette.requests import Request

from penstock.errors import ProgramError
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import JOB, TRIGGERED
from penstock.web.rest.operations import Answer, Operation, Query
from penstock.web.rest.requests import Forbidden, number_in_query
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
        if not api.chosen.may_rescale:
            raise Forbidden("jobs of this cluster are not rescaled here: web.rescale.enable is false")
        return {
            "request-id": api.rescalings.begin(lambda: api.dispatcher.rescale(job.id, parallelism), job.id)
        }

    return answer


def _outcome(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        return api.rescalings.status(request.path_params["trigger"], of=api.job(request).id)

    return answer
