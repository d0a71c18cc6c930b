"""Between which parallelisms a job may run: Flink's resource requirements.

A job has one parallelism, that of all vertices whose operators the program gave none, so the bounds of all of these hold
together; a vertex with a parallelism of its own has no other.
"""

import asyncio
from typing import Any

from starlette.requests import Request

from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import ParallelismBounds, highest_parallelism, may_rescale
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.errors import ProgramError
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import JOB, of
from penstock.web.rest.operations import Answer, Operation
from penstock.web.rest.requests import Forbidden, json_body
from penstock.web.rest.shapes import MapOf
from penstock.web.rest.vertex_views import vertex_id

_PATH = f"{JOB}/resource-requirements"
_BOUNDS = MapOf({"parallelism": {"lowerBound": int, "upperBound": int}})


def requirement_operations(api: Api) -> list[Operation]:
    """Those of resource requirements."""
    return [
        Operation(
            "GET",
            _PATH,
            "Between which parallelisms each vertex may run.",
            of(api, requirements),
            _BOUNDS,
        ),
        Operation(
            "PUT",
            _PATH,
            "Have a job run at the highest parallelism that these bounds allow, and the slots that it can have.",
            _require(api),
            {},
            body=_BOUNDS,
        ),
    ]


def requirements(job: DispatchedJob) -> dict[str, Any]:
    """The bounds of each vertex, by its id."""
    bounds = job.submission.bounds
    found = {}
    for vertex in job.graph.vertices:
        lower, upper = 1, vertex.parallelism
        if not vertex.follows_default:
            lower = upper
        elif bounds is not None:
            lower, upper = bounds.lower, bounds.upper
        found[vertex_id(vertex)] = {"parallelism": {"lowerBound": lower, "upperBound": upper}}
    return found


def bounds_of(graph: JobGraph, given: dict[str, Any]) -> ParallelismBounds:
    """The bounds that hold for all open vertices together.

    :raises ProgramError: where a vertex is missing, or no parallelism is between all bounds.
    """
    named = {vertex_id(vertex): vertex for vertex in graph.vertices}
    if given.keys() != named.keys():
        raise ProgramError(
            f"requirements name every vertex of the job, and nothing else: {', '.join(named)}; not {', '.join(given)}"
        )
    if not may_rescale(graph):
        raise ProgramError(
            f"each operator of job {graph.job_name!r} has a parallelism of its own (set_parallelism)"
        )
    lowest, highest = 1, highest_parallelism(graph)
    for each, vertex in named.items():
        lower, upper = _pair(each, given[each])
        if vertex.follows_default and not 1 <= lower <= upper <= vertex.max_parallelism:
            raise ProgramError(
                f"vertex {each}: 1 <= lowerBound <= upperBound <= {vertex.max_parallelism}, its maximum parallelism; not "
                f"{lower} and {upper}"
            )
        if vertex.follows_default:
            lowest, highest = max(lowest, lower), min(highest, upper)
        elif not lower <= vertex.parallelism <= upper:
            raise ProgramError(
                f"vertex {each} has the parallelism {vertex.parallelism} of its own (set_parallelism), and cannot have "
                f"{lower} to {upper}"
            )
    if lowest > highest:
        raise ProgramError(
            f"the vertices of a job follow one parallelism, and none is at least {lowest} and at most {highest}"
        )
    return ParallelismBounds(lowest, highest)


def _pair(vertex: str, given: Any) -> tuple[int, int]:
    parallelism = given.get("parallelism") if isinstance(given, dict) else None
    found = parallelism if isinstance(parallelism, dict) else {}
    lower, upper = found.get("lowerBound", 1), found.get("upperBound")
    if type(lower) is not int or type(upper) is not int:
        raise ProgramError(
            f'vertex {vertex} is given {{"parallelism": {{"lowerBound": N, "upperBound": M}}}}, not {given!r}'
        )
    return lower, upper


def _require(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, given = api.job(request), await json_body(request)
        if not api.chosen.may_rescale:
            raise Forbidden("jobs of this cluster are not rescaled here: web.rescale.enable is false")
        await asyncio.to_thread(api.dispatcher.require, job.id, bounds_of(job.graph, given))
        return {}

    return answer
