"""The archive of a job: what the API tells of it, path by path, in one file as Flink's history server has them."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from starlette.requests import Request

from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobNotFound
from penstock.ids import SubtaskId
from penstock.storage.writing import write_in_place
from penstock.web.rest import job_views
from penstock.web.rest.api import Api
from penstock.web.rest.app import operations
from penstock.web.rest.job_operations import JOB
from penstock.web.rest.operations import Content, Operation
from penstock.web.rest.vertex_views import vertex_id

_ENUMERATED = {"job", "vertex", "subtask", "attempt", "checkpoint", "rescale"}
Told = dict[str, Any]


def archive_job(api: Api, directory: str, job: DispatchedJob) -> None:
    """Write the archive of a job that has ended: the answers of ``api``, so that both tell the same.

    :raises PenstockError: where it cannot be told or written.
    """
    entries = [
        {"path": path, "json": json.dumps(told)} for path, told in asyncio.run(_told(api, job)).items()
    ]
    write_in_place(f"{directory.rstrip('/')}/{job.id}", json.dumps({"archive": entries}).encode())


async def _told(api: Api, job: DispatchedJob) -> Told:
    found: Told = {"/jobs/overview": {"jobs": [job_views.job_line(job)]}}
    for operation in operations(api):
        if _is_archived(operation):
            for given in _all_given(job, operation.parameters, {"job": job.id}):
                scope = {"type": "http", "path_params": given, "query_string": b"", "headers": []}
                with suppress(
                    JobNotFound
                ):  # the details of a checkpoint are not kept as long as it is listed
                    found[operation.path.format_map(given)] = await operation.answer(Request(scope))
    return found


def _is_archived(operation: Operation) -> bool:
    """Whether it tells of a job at paths that can be enumerated; metrics are asked for by name, and logs lie elsewhere."""
    return (
        operation.method == "GET"
        and operation.content is Content.JSON
        and operation.path.startswith(JOB)
        and _ENUMERATED.issuperset(operation.parameters)
        and not operation.path.endswith(("/metrics", "/log-url"))
    )


def _all_given(job: DispatchedJob, parameters: list[str], given: dict[str, str]) -> Iterator[dict[str, str]]:
    """Every way to fill the parameters of a path, one after the other."""
    missing = [parameter for parameter in parameters if parameter not in given]
    if not missing:
        yield given
        return
    for value in _values(job, missing[0], given):
        yield from _all_given(job, parameters, {**given, missing[0]: str(value)})


def _values(job: DispatchedJob, parameter: str, given: dict[str, str]) -> list[Any]:
    match parameter:
        case "vertex":
            return [vertex_id(vertex) for vertex in job.graph.vertices]
        case "checkpoint":
            return [each.checkpoint_id for each in job.checkpoints()]
        case "rescale":
            return [each.id for each in job.rescales.kept()]
    vertex = next(each for each in job.graph.vertices if vertex_id(each) == given["vertex"])
    if parameter == "subtask":
        return list(range(vertex.parallelism))
    subtask = SubtaskId(vertex.id, int(given["subtask"]))
    return [*(each.number for each in job.past_attempts(subtask)), job.attempts.running(subtask).number]
