"""Jobs at another parallelism."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.reactive import reactive_settings
from penstock.errors import ProgramError
from penstock.web.rest import rescale_views as views
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import JOB, TRIGGERED
from penstock.web.rest.operations import Answer, Operation, Query
from penstock.web.rest.requests import Forbidden, number_in_query
from penstock.web.rest.shapes import MapOf, OneOf, OrNull

_COUNTS = {"ignored": int, "inProgress": int, "completed": int, "failed": int}
_RESCALE = {
    "rescaleUuid": str, "resourceRequirementsUuid": str, "rescaleAttemptId": int, "startTimestampInMillis": int,
    "endTimestampInMillis": OrNull(int), "terminalState": OrNull(str), "triggerCause": str, "terminatedReason": OrNull(str),
}  # fmt: skip
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
        *_of_history(api),
    ]


def _of_history(api: Api) -> list[Operation]:
    def told(path: str, summary: str, answer: Answer, gives: Any) -> Operation:
        return Operation("GET", f"{JOB}/rescales/{path}", summary, answer, gives)

    return [
        told(
            "overview",
            "How often a job came to a parallelism, or did not, and the last time of each kind.",
            _of_job(api, views.rescales_overview),
            {"rescalesCounts": _COUNTS, "latest": MapOf(OrNull(_RESCALE))},
        ),
        told(
            "history",
            "How a job came to its parallelism, the last first.",
            _of_job(api, lambda job: views.rescales_history(job, api.chosen.most_rescales)),
            [_RESCALE],
        ),
        told(
            "summary",
            "How long changes of parallelism took.",
            _of_job(api, views.rescales_summary),
            {
                "rescalesCounts": _COUNTS,
                "rescalesDurationStatsInMillis": {"min": int, "max": int, "avg": int},
            },
        ),
        told("config", "What decides when a job is rescaled.", _config(api), {"rescaleHistoryMax": int}),
        told(
            "details/{rescale}",
            "A change of parallelism, with its vertices and slot sharing groups.",
            _detail(api),
            {**_RESCALE, "schedulerStates": [{"state": str, "enterTimestampInMillis": int}]},
        ),
    ]


def _of_job(api: Api, make: Callable[[DispatchedJob], Any]) -> Answer:
    async def answer(request: Request) -> Any:
        return make(api.job(request))

    return answer


def _detail(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        return views.rescale_detail(api.job(request), request.path_params["rescale"])

    return answer


def _config(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        api.job(request)
        reactive = reactive_settings(api.settings)
        return {
            "rescaleHistoryMax": api.chosen.most_rescales,
            "schedulerExecutionMode": None if reactive is None else "REACTIVE",
            "submissionResourceWaitTimeoutInMillis": None,
            "submissionResourceStabilizationTimeoutInMillis": None,
            "slotIdleTimeoutInMillis": None,
            "executingCooldownTimeoutInMillis": None
            if reactive is None
            else round(reactive.cooldown_s * 1000),
            "executingResourceStabilizationTimeoutInMillis": (
                None if reactive is None else round(reactive.stabilization_s * 1000)
            ),
            "maximumDelayForTriggeringRescaleInMillis": (
                None
                if reactive is None or reactive.max_delay_s is None
                else round(reactive.max_delay_s * 1000)
            ),
            "rescaleOnFailedCheckpointCount": None if reactive is None else reactive.max_checkpoint_failures,
        }

    return answer


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
