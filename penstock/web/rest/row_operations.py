"""What a program is told of the job that it has submitted, as Python values: rows of collecting sinks
(``execute_and_collect``), accumulators, metrics."""

import asyncio
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from penstock.deploy.cluster.dispatched_job import JobNotFound
from penstock.deploy.cluster.row_transit import RowsOutlet
from penstock.deploy.cluster.signed_values import JobValues, pack
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import JOB
from penstock.web.rest.operations import Answer, Content, Operation, Query
from penstock.web.rest.requests import number_in_query


def row_operations(api: Api) -> list[Operation]:
    """Those of Python values."""
    after = Query("after", "The number of the last part that has come; 0 for none.", int)
    return [
        Operation(
            "GET",
            f"{JOB}/rows/{{collector}}",
            "What a collecting sink has received, for penstock's own client: each row is given once.",
            _rows(api),
            queries=(after,),
            content=Content.BYTES,
            needs_proof=True,
        ),
        Operation(
            "GET",
            f"{JOB}/values",
            "Accumulators, metrics, checkpoints and restarts, for penstock's own client.",
            _values(api),
            content=Content.BYTES,
            needs_proof=True,
        ),
    ]


def _values(api: Api) -> Answer:
    async def answer(request: Request) -> Response:
        job = api.job(request)

        def packed() -> bytes:
            values = JobValues(
                job.job.accumulators(), job.job.metrics(), job.recovery(), tuple(job.checkpoints())
            )
            return pack(values, api.signing_key)

        return Response(await asyncio.to_thread(packed), media_type=Content.BYTES.value)

    return answer


def _rows(api: Api) -> Answer:
    async def answer(request: Request) -> Response:
        outlet = _outlet(api, request)
        part = outlet.part_after(number_in_query(request, "after", 0))
        return Response(part, media_type=Content.BYTES.value)

    return answer


def _outlet(api: Api, request: Request) -> RowsOutlet:
    job, collector = api.job(request), request.path_params["collector"]
    if collector not in job.collectors:
        raise JobNotFound(f"job {job.id} has no sink that collects rows as {collector!r}")
    known = {each.id for each in api.dispatcher.jobs()}
    for gone in [place for place in api.outlets if place[0] not in known]:
        del api.outlets[gone]
    take = partial(job.take_rows, collector)
    return api.outlets.setdefault(
        (job.id, collector), RowsOutlet(take, lambda: job.rows_have_ended, api.signing_key)
    )
