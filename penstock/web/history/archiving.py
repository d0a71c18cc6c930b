"""The archive of a job: what the API tells of it, path by path, in one file as Flink's history server has them."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from penstock.errors import PenstockError
from penstock.storage.writing import write_in_place

Get = Callable[[str], Any]
_OF_JOB = (
    "config", "plan", "accumulators", "exceptions", "execution-result", "status", "checkpoints", "checkpoints/config",
)  # fmt: skip
_OF_VERTEX = (
    "", "/accumulators", "/backpressure", "/subtasktimes", "/subtasks/accumulators", "/taskmanagers", "/watermarks",
)  # fmt: skip


def archive_job(get: Get, directory: str, job_id: str) -> None:
    """Write the archive of a job that has ended. ``get`` asks the API of the JobManager, so that both tell the same.

    :raises PenstockError: where it cannot be told or written.
    """
    entries = [{"path": path, "json": json.dumps(told)} for path, told in _gather(get, job_id)]
    write_in_place(f"{directory.rstrip('/')}/{job_id}", json.dumps({"archive": entries}).encode())


def _gather(get: Get, job_id: str) -> Iterator[tuple[str, Any]]:
    job = f"/jobs/{job_id}"
    detail = get(job)
    yield job, detail
    yield (
        "/jobs/overview",
        {"jobs": [line for line in get("/jobs/overview")["jobs"] if line["jid"] == job_id]},
    )
    for part in _OF_JOB:
        yield f"{job}/{part}", get(f"{job}/{part}")
    for checkpoint in get(f"{job}/checkpoints")["history"]:
        path = f"{job}/checkpoints/details/{checkpoint['id']}"
        with suppress(PenstockError):  # its details are not kept as long as it is listed
            yield path, get(path)
    for vertex in detail["vertices"]:
        for part in _OF_VERTEX:
            path = f"{job}/vertices/{vertex['id']}{part}"
            with suppress(PenstockError):
                yield path, get(path)
