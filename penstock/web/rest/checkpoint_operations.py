"""Checkpoints and savepoints of jobs."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from starlette.requests import Request

from penstock.dataflow.recovery import CheckpointStatistics, SavepointWish
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobNotFound
from penstock.errors import ProgramError
from penstock.web.rest import checkpoint_views
from penstock.web.rest.api import Api
from penstock.web.rest.job_operations import FORMAT, JOB, TRIGGER_ID, TRIGGERED, of, trigger_savepoint
from penstock.web.rest.operations import Answer, Operation
from penstock.web.rest.requests import flag, json_body, number_in_path, text, trigger_id
from penstock.web.rest.shapes import MapOf, OneOf, Optional, OrNull

_STATISTICS = {"min": int, "max": int, "avg": int, "p50": float, "p99": float}
_PART = {
    "id": int, "status": str, "latest_ack_timestamp": int, "checkpointed_size": int, "state_size": int,
    "end_to_end_duration": int, "num_subtasks": int, "num_acknowledged_subtasks": int,
}  # fmt: skip
_CHECKPOINT = {
    **_PART, "is_savepoint": bool, "trigger_timestamp": int, "external_path": OrNull(str), "failure_message": OrNull(str),
    "checkpoint_type": str,
}  # fmt: skip
_ALL = {
    "counts": {"restored": int, "total": int, "in_progress": int, "completed": int, "failed": int},
    "summary": {"checkpointed_size": _STATISTICS, "state_size": _STATISTICS, "end_to_end_duration": _STATISTICS},
    "latest": {
        "completed": OrNull(_CHECKPOINT), "savepoint": OrNull(_CHECKPOINT), "failed": OrNull(_CHECKPOINT),
        "restored": OrNull({"id": int, "restore_timestamp": int, "is_savepoint": bool}),
    },
    "history": [_CHECKPOINT],
}  # fmt: skip
_CONFIG = {
    "mode": str, "interval": int, "timeout": int, "min_pause": int, "max_concurrent": int,
    "externalization": {"enabled": bool, "delete_on_cancellation": bool}, "state_backend": str,
    "checkpoint_storage": str, "unaligned_checkpoints": bool,
}  # fmt: skip
_OUTCOME = {"status": {"id": OneOf(("IN_PROGRESS", "COMPLETED"))}, "operation": OrNull({})}
_TYPES = ("CONFIGURED", "FULL", "INCREMENTAL")


def checkpoint_operations(api: Api) -> list[Operation]:
    """Those of checkpoints and savepoints."""
    return [*_of_checkpoints(api), *_of_savepoints(api)]


def _of_checkpoints(api: Api) -> list[Operation]:
    return [
        Operation(
            "GET",
            f"{JOB}/checkpoints",
            "What became of the checkpoints.",
            of(api, lambda job: checkpoint_views.checkpoint_statistics(job, api.chosen.most_checkpoints)),
            _ALL,
        ),
        Operation(
            "POST",
            f"{JOB}/checkpoints",
            "Take a checkpoint now.",
            _checkpoint(api),
            TRIGGERED,
            body={"checkpointType": Optional(OneOf(_TYPES)), "triggerId": TRIGGER_ID},
            status=202,
        ),
        Operation(
            "GET",
            f"{JOB}/checkpoints/config",
            "How checkpoints are taken.",
            of(api, checkpoint_views.checkpoint_config),
            _CONFIG,
        ),
        Operation(
            "GET",
            f"{JOB}/checkpoints/details/{{checkpoint}}",
            "One checkpoint.",
            _details(api),
            {**_CHECKPOINT, "tasks": MapOf(_PART)},
        ),
        Operation(
            "GET",
            f"{JOB}/checkpoints/details/{{checkpoint}}/subtasks/{{vertex}}",
            "The parts of a vertex's subtasks in a checkpoint.",
            _parts(api),
            {
                **_PART,
                "summary": {"state_size": _STATISTICS, "end_to_end_duration": _STATISTICS},
                "subtasks": [{"index": int, "status": str, "ack_timestamp": int, "state_size": int}],
            },
        ),
        Operation(
            "GET",
            f"{JOB}/checkpoints/{{trigger}}",
            "What became of a checkpoint that was asked for.",
            _outcome(api, lambda: api.checkpoints, "checkpointId"),
            _OUTCOME,
        ),
    ]


def _of_savepoints(api: Api) -> list[Operation]:
    return [
        Operation(
            "POST",
            f"{JOB}/savepoints",
            "Take a savepoint.",
            _savepoint(api),
            TRIGGERED,
            body={
                "target-directory": Optional(OrNull(str), "Where the savepoint goes."),
                "cancel-job": Optional(bool, "Whether the job is cancelled after it."),
                "formatType": FORMAT,
                "triggerId": TRIGGER_ID,
            },
            status=202,
        ),
        Operation(
            "GET",
            f"{JOB}/savepoints/{{trigger}}",
            "What became of a savepoint.",
            _outcome(api, lambda: api.savepoints, "location"),
            _OUTCOME,
        ),
        Operation(
            "POST",
            "/savepoint-disposal",
            "Delete a savepoint, and nothing that is none.",
            _dispose(api),
            TRIGGERED,
            body={"savepoint-path": str, "triggerId": TRIGGER_ID},
            status=202,
        ),
        Operation(
            "GET",
            "/savepoint-disposal/{trigger}",
            "What became of a disposal.",
            _outcome(api, lambda: api.disposals, "location", of_job=False),
            _OUTCOME,
        ),
    ]


def _checkpoint(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, given = api.job(request), await json_body(request)
        kind, wanted = text(given, "checkpointType"), trigger_id(given)
        if kind is not None and kind not in _TYPES:
            raise ProgramError(f"checkpointType is one of {', '.join(_TYPES)}, not {kind!r}")

        def start() -> "Future[int]":
            if job.has_ended:
                raise ProgramError(
                    f"job {job.id} is {job.status.name}; a checkpoint is taken of a job that runs"
                )
            return job.job.checkpoint()

        return {"request-id": api.checkpoints.begin(start, job.id, wanted)}

    return answer


def _details(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job = api.job(request)
        return checkpoint_views.checkpoint_details(job, _find(job, request))

    return answer


def _parts(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, vertex = api.vertex(request)
        return checkpoint_views.checkpoint_subtasks(_find(job, request), vertex)

    return answer


def _find(job: DispatchedJob, request: Request) -> CheckpointStatistics:
    wanted = number_in_path(request, "checkpoint")
    for each in job.checkpoints():
        if each.checkpoint_id == wanted:
            return each
    raise JobNotFound(
        f"job {job.id} has no checkpoint {request.path_params['checkpoint']}, or it is no longer remembered"
    )


def _savepoint(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        job, given = api.job(request), await json_body(request)
        directory = text(given, "target-directory", "targetDirectory")
        return trigger_savepoint(api, job, SavepointWish(directory, cancels=flag(given, "cancel-job")), given)

    return answer


def _outcome(api: Api, triggers: Callable[[], Any], success: str, of_job: bool = True) -> Answer:
    async def answer(request: Request) -> Any:
        whose = api.job(request).id if of_job else ""
        return triggers().status(request.path_params["trigger"], success, whose)

    return answer


def _dispose(api: Api) -> Answer:
    async def answer(request: Request) -> Any:
        given = await json_body(request)
        path, wanted = text(given, "savepoint-path"), trigger_id(given)
        if path is None:
            raise ProgramError('a disposal names the savepoint: {"savepoint-path": ...}')
        start = partial(_in_thread, partial(dispose_savepoint, path))
        return {"request-id": api.disposals.begin(start, wanted=wanted)}

    return answer


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


def _in_thread(work: Callable[[], Any]) -> "Future[Any]":
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001  (whoever asks for the outcome gets it)
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
