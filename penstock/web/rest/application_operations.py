"""Applications: what runs of programs, with their jobs."""

import asyncio
from collections import Counter
from typing import Any

from starlette.requests import Request

from penstock.clock import SYSTEM_CLOCK
from penstock.web.rest import job_views
from penstock.web.rest.api import Api
from penstock.web.rest.applications import STATES, Application, Applications
from penstock.web.rest.cluster_operations import CONFIG, config_entries
from penstock.web.rest.job_operations import LINE
from penstock.web.rest.operations import Answer, Operation
from penstock.web.rest.requests import Forbidden
from penstock.web.rest.shapes import MapOf

ONE = "/applications/{application}"
_LINE = {"id": str, "name": str, "status": str, "start-time": int, "end-time": int, "duration": int}
_EXCEPTION = {"exceptionName": str, "stacktrace": str, "timestamp": int}


def application_operations(api: Api) -> list[Operation]:
    """Those of applications."""
    return [
        Operation(
            "GET",
            "/applications/overview",
            "All applications; a job that was submitted by itself is one.",
            _overview(api.applications),
            {"applications": [{**_LINE, "jobs": MapOf(int)}]},
        ),
        Operation(
            "GET",
            ONE,
            "An application with its jobs.",
            _detail(api.applications),
            {**_LINE, "timestamps": MapOf(int), "jobs": [LINE]},
        ),
        Operation(
            "GET",
            f"{ONE}/exceptions",
            "Why an application has failed.",
            _exceptions(api.applications),
            {"exceptionHistory": {"entries": [_EXCEPTION]}},
        ),
        Operation(
            "GET",
            f"{ONE}/jobmanager/config",
            "The options of the cluster that runs the application.",
            _config(api),
            CONFIG,
        ),
        Operation("POST", f"{ONE}/cancel", "End an application with its jobs.", _cancel(api), {}, status=202),
    ]


def _overview(applications: Applications) -> Answer:
    async def answer(request: Request) -> Any:
        del request
        return {"applications": [_line(applications, each) for each in applications.all()]}

    return answer


def _line(applications: Applications, application: Application) -> dict[str, Any]:
    jobs = Counter(job.status.name for job in applications.jobs_of(application))
    return {**_about(application), "jobs": dict(jobs)}


def _about(application: Application) -> dict[str, Any]:
    began = min(application.times.values())
    end = application.times[application.state] if application.has_ended else -1
    return {
        "id": application.id,
        "name": application.name,
        "status": application.state,
        "start-time": began,
        "end-time": end,
        "duration": (SYSTEM_CLOCK.now_ms() if end < 0 else end) - began,
    }


def _detail(applications: Applications) -> Answer:
    async def answer(request: Request) -> Any:
        application = applications.get(request.path_params["application"])
        return {
            **_about(application),
            "timestamps": {state: application.times.get(state, 0) for state in STATES},
            "jobs": [job_views.job_line(job) for job in applications.jobs_of(application)],
        }

    return answer


def _exceptions(applications: Applications) -> Answer:
    async def answer(request: Request) -> Any:
        application = applications.get(request.path_params["application"])
        entries = []
        if application.failure:
            last = application.failure.splitlines()[-1]
            entries.append(
                {
                    "exceptionName": last.partition(":")[0],
                    "stacktrace": application.failure,
                    "timestamp": application.times[application.state],
                    "jobId": next(iter(application.jobs[-1:]), None),
                }
            )
        return {"exceptionHistory": {"entries": entries}}

    return answer


def _config(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        api.applications.get(request.path_params["application"])
        return config_entries(api.settings)

    return answer


def _cancel(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        if not api.chosen.may_cancel:
            raise Forbidden("applications are not cancelled by this API: web.cancel.enable is false")
        await asyncio.to_thread(api.applications.cancel, request.path_params["application"])
        return {}

    return answer
