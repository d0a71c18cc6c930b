"""Uploaded programs, under Flink's ``/jars`` and under ``/programs``: kept, planned, and run by processes of their own."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request

from penstock.errors import ProgramError
from penstock.web.rest.api import Api
from penstock.web.rest.operations import Answer, Given, Operation, Query
from penstock.web.rest.programs import ProgramOptions, Programs
from penstock.web.rest.requests import Forbidden, body_bytes, chosen_id, flag, json_body, text
from penstock.web.rest.shapes import MapOf, OneOf, Optional
from penstock.web.rest.uploads import uploaded_file

CLAIM_MODES = ("CLAIM", "NO_CLAIM", "LEGACY")
_FILE = {"id": str, "name": str, "uploaded": int, "entry": [{"name": str}]}
_OPTIONS = {
    "entryClass": Optional(str, "MODULE:FUNCTION in an archive, or in the file."),
    "parallelism": Optional(int, "In how many subtasks operators run that do not say otherwise."),
    "programArgsList": Optional([str], "The program's own arguments."),
    "programArgs": Optional(str, "The same as one text, split as a shell does it."),
    "savepointPath": Optional(str, "A savepoint to start from."),
    "allowNonRestoredState": Optional(bool, "Whether state may be left behind."),
    "claimMode": Optional(OneOf(CLAIM_MODES), "Who owns the files of the savepoint."),
    "flinkConfiguration": Optional(MapOf(str), "Options for the program's jobs."),
}
_APPLICATION = {**_OPTIONS, "applicationId": Optional(str, "32 hexadecimal digits, for the application.")}
_QUERIES = (
    Query("entry-class", "MODULE:FUNCTION."),
    Query("parallelism", "A number.", int),
    Query("programArg", "One of the program's own arguments; may be repeated."),
    Query("savepointPath", "A savepoint to start from."),
    Query("allowNonRestoredState", "Whether state may be left behind.", bool),
)


def program_operations(api: Api) -> list[Operation]:
    """Those of uploaded programs."""
    found = [operation for root in ("/jars", "/programs") for operation in _under(root, Programs(api))]
    return found if api.chosen.may_submit else [replace(each, answer=_forbidden) for each in found]


async def _forbidden(request: Request) -> Any:
    del request
    raise Forbidden("programs are neither uploaded to this cluster nor run by it: web.submit.enable is false")


def _under(root: str, programs: Programs) -> list[Operation]:
    one = root + "/{program}"
    operation = partial(Operation, needs_proof=True)
    return [
        Operation(
            "GET",
            root,
            "The uploaded programs.",
            _list(programs),
            {"address": str, "files": [_FILE]},
        ),
        operation(
            "POST",
            f"{root}/upload",
            "Upload a program: a Python file, or a zip archive of modules.",
            _upload(programs),
            {"filename": str, "status": str},
            body=Given.FILE,
        ),
        operation("DELETE", one, "Delete an uploaded program.", _delete(programs), {}),
        operation(
            "POST",
            f"{one}/plan",
            "The plan of a program's first job; the program is read up to its execute().",
            _plan(programs),
            {"plan": {"nodes": [{"id": int, "type": str, "parallelism": int}]}},
            queries=_QUERIES,
            body=_OPTIONS,
        ),
        operation(
            "POST",
            f"{one}/run",
            "Run a program on this cluster.",
            _run(programs),
            {"jobid": str},
            queries=_QUERIES,
            body=_OPTIONS,
        ),
        operation(
            "POST",
            f"{one}/run-application",
            "Run a program on this cluster to its end, with all its jobs; it is not waited for.",
            _run_application(programs),
            {"applicationId": str},
            body=_APPLICATION,
            status=202,
        ),
    ]


def _list(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        address = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return {"address": address, "files": programs.listed()}

    return answer


def _upload(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        kind = request.headers.get("content-type", "")
        name, content = uploaded_file(kind, await body_bytes(request))
        path = await asyncio.to_thread(programs.keep, name, content)
        return {"filename": str(path), "status": "success"}

    return answer


def _delete(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        programs.delete(request.path_params["program"])
        return {}

    return answer


def _plan(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        options = await _options(request)
        plan = await asyncio.to_thread(programs.plan, request.path_params["program"], options)
        return {"plan": plan}

    return answer


def _run(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        options = await _options(request)
        job_id = await asyncio.to_thread(programs.run, request.path_params["program"], options)
        return {"jobid": job_id}

    return answer


def _run_application(programs: Programs) -> Answer:
    async def answer(request: Request) -> Any:
        given = await json_body(request)
        options, wanted_id = _understood(request, given), chosen_id(given, "applicationId")
        program = request.path_params["program"]
        return {
            "applicationId": await asyncio.to_thread(programs.run_application, program, options, wanted_id)
        }

    return answer


async def _options(request: Request) -> ProgramOptions:
    return _understood(request, await json_body(request))


def _understood(request: Request, given: dict[str, Any]) -> ProgramOptions:
    asked = request.query_params
    arguments = given.get("programArgsList", asked.getlist("programArg"))
    if not isinstance(arguments, list) or not all(isinstance(each, str) for each in arguments):
        raise ProgramError(f"programArgsList is a list of texts, not {arguments!r}")
    if "\0" in "".join(arguments):
        raise ProgramError("an argument of a program holds no null character")
    parallelism = given.get("parallelism", asked.get("parallelism"))
    if isinstance(parallelism, str) and parallelism.isascii() and parallelism.isdigit():
        parallelism = int(parallelism)
    if parallelism is not None and not (type(parallelism) is int and 0 < parallelism < 1 << 15):
        raise ProgramError(f"parallelism is a number from 1 to 32767, not {parallelism!r}")
    if given.get("jobId") is not None:
        raise ProgramError("jobId is not taken: a job has the id that the answer tells")
    leaves = flag(given, "allowNonRestoredState") or asked.get("allowNonRestoredState") == "true"
    return ProgramOptions(
        entry=text(given, "entryClass") or text(dict(asked), "entry-class"),
        parallelism=parallelism,
        arguments=tuple(arguments) or _split(text(given, "programArgs")),
        savepoint=text(given, "savepointPath") or text(dict(asked), "savepointPath"),
        leaves_state=leaves,
        settings=(*_settings(given.get("flinkConfiguration") or {}), *_claim(text(given, "claimMode"))),
    )


def _claim(mode: str | None) -> tuple[tuple[str, str], ...]:
    if mode is not None and mode not in CLAIM_MODES:
        raise ProgramError(f"claimMode is one of {', '.join(CLAIM_MODES)}, not {mode!r}")
    return () if mode is None else (("execution.state-recovery.claim-mode", mode),)


def _settings(given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise ProgramError(f"flinkConfiguration is an object of options and their texts, not {given!r}")
    if any("\0" in text or "=" in key for key, value in given.items() for text in (key, value)):
        raise ProgramError("an option of flinkConfiguration holds no null character, and its name no =")
    return tuple(given.items())


def _split(arguments: str | None) -> tuple[str, ...]:
    import shlex

    try:
        return tuple(shlex.split(arguments or ""))
    except ValueError as error:
        raise ProgramError(f"programArgs cannot be split into arguments: {error}") from error
