"""The history server: answers with what archives hold, under the same paths as the JobManager that wrote them."""

import asyncio
import hmac
import json
import logging
import threading
from collections import Counter, OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from penstock.errors import OutsideError, PenstockError
from penstock.storage.reading import open_file
from penstock.storage.writing import delete_if_there, files_below
from penstock.web.rest.page import page

_log = logging.getLogger(__name__)
_ID_LETTERS = 32
_JSON = "application/json"
_UNREADABLE = (PenstockError, ValueError, KeyError, IndexError, TypeError)
MOST_AT_HAND = 16


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """Where archives are, how often they are looked for, and how many jobs are kept (None: all); older ones are deleted."""

    directories: tuple[str, ...]
    refresh_s: float = 10.0
    retained_jobs: int | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class _Archive:
    """Where the archive of a job lies, and the job's line in the overview."""

    path: str
    line: dict[str, Any]


class History:
    """The jobs of all archives that could be read; one that cannot is said once, and looked at again when it changes. Of all
    jobs the lines of the overview are at hand, and of the last that were asked for the rest, too."""

    def __init__(self, settings: HistorySettings) -> None:
        self._settings = settings
        self._jobs: dict[str, _Archive] = {}
        self._at_hand: OrderedDict[str, dict[str, str]] = OrderedDict()
        self._complained: set[str] = set()
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Read new archives, forget what was deleted, delete what is too much."""
        found: dict[str, str] = {}
        for directory in self._settings.directories:
            with suppress(OutsideError):
                paths = [(path.rpartition("/")[2], path) for path in files_below(directory)]
                found.update({name: path for name, path in paths if _is_job_id(name)})
        for job_id in found.keys() - self._jobs.keys():
            self._read(job_id, found[job_id])
        with self._lock:
            self._jobs = {job_id: archive for job_id, archive in self._jobs.items() if job_id in found}
        self._delete_oldest(found)

    def find(self, path: str) -> str | None:
        """The JSON at a path; None where no archive has it. It may have to be read."""
        job_id = path.removeprefix("/jobs/").partition("/")[0]
        with self._lock:
            archive, told = self._jobs.get(job_id), self._at_hand.pop(job_id, None)
        if archive is None:
            return None
        if told is None:
            try:
                told = _content(archive.path)
            except _UNREADABLE:  # it was deleted meanwhile
                return None
        with self._lock:
            self._at_hand[job_id] = told
            while len(self._at_hand) > MOST_AT_HAND:
                self._at_hand.popitem(last=False)
        return told.get(path)

    def overview(self) -> list[dict[str, Any]]:
        """The line of each job, the newest first."""
        with self._lock:
            lines = [archive.line for archive in self._jobs.values()]
        return sorted(lines, key=lambda line: -line["start-time"])

    def _read(self, job_id: str, path: str) -> None:
        try:
            line = json.loads(_content(path)["/jobs/overview"])["jobs"][0]
            _ = -line["start-time"], line["jid"], line["state"]
        except _UNREADABLE as error:
            if path not in self._complained:
                self._complained.add(path)
                _log.warning("the archive %s cannot be read: %s: %s", path, type(error).__name__, error)
            return
        with self._lock:
            self._jobs[job_id] = _Archive(path, line)

    def _delete_oldest(self, found: dict[str, str]) -> None:
        most = self._settings.retained_jobs
        if most is None:
            return
        for line in self.overview()[most:]:
            with suppress(OutsideError):
                delete_if_there(found[line["jid"]])
            with self._lock:
                self._jobs.pop(line["jid"], None)


def _content(path: str) -> dict[str, str]:
    with open_file(path) as file:
        entries = json.loads(file.read())["archive"]
    return {entry["path"]: entry["json"] for entry in entries}


def _is_job_id(name: str) -> bool:
    return len(name) == _ID_LETTERS and all(letter in "0123456789abcdef" for letter in name)


def application(history: History, token: str | None) -> Starlette:
    """What answers."""

    async def answer(request: Request) -> Response:
        path = request.url.path.removeprefix("/v1").rstrip("/") or "/"
        if path == "/":
            return HTMLResponse(page())
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token is not None and not hmac.compare_digest(given.encode(), token.encode()):
            return _json({"errors": ["send the header 'Authorization: Bearer TOKEN'"]}, 401)
        made = _computed(history, path)
        if made is not None:
            return _json(made)
        told = await asyncio.to_thread(history.find, path)
        if told is None:
            return _json(
                {
                    "errors": [
                        f"there is nothing at {path}; an archive has what was asked of a job when it ended"
                    ]
                },
                404,
            )
        return Response(told, media_type=_JSON)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET"])])


def _computed(history: History, path: str) -> Any:
    """What is made of all archives together."""
    if path == "/jobs/overview":
        return {"jobs": history.overview()}
    if path == "/jobs":
        return {"jobs": [{"id": line["jid"], "status": line["state"]} for line in history.overview()]}
    if path == "/taskmanagers":
        return {"taskmanagers": []}
    if path == "/config":
        return {
            "refresh-interval": 10_000,
            "features": {"web-submit": False, "web-cancel": False, "web-history": True},
        }
    if path == "/overview":
        states = Counter(line["state"] for line in history.overview())
        ended = {"jobs-finished": "FINISHED", "jobs-cancelled": "CANCELED", "jobs-failed": "FAILED"}
        counts = {name: states[state] for name, state in ended.items()}
        return {"taskmanagers": 0, "slots-total": 0, "slots-available": 0, "jobs-running": 0, **counts}
    return None


def _json(made: Any, status: int = 200) -> Response:
    return Response(json.dumps(made), status, media_type=_JSON)
