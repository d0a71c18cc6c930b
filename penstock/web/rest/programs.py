"""Uploaded programs: kept in the JobManager's directory, run by processes of their own that submit jobs to this cluster."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.chance import secret_token
from penstock.deploy.cluster.dispatched_job import JobNotFound
from penstock.errors import OutsideError, ProgramError
from penstock.web.rest.api import Api
from penstock.web.rest.applications import Command

MOST_PROGRAMS = 100
RUN_S = 120.0
MOST_AT_ONCE = 4
CONFIGURATIONS = "conf"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}_[\w.-]+\.(py|zip)")


@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """How a program is run. ``entry`` is ``MODULE:FUNCTION``; ``settings`` are options for its jobs."""

    entry: str | None = None
    parallelism: int | None = None
    arguments: tuple[str, ...] = ()
    savepoint: str | None = None
    leaves_state: bool = False
    settings: tuple[tuple[str, str], ...] = ()


class Programs:
    """The programs of a cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def listed(self) -> list[dict[str, Any]]:
        """Every program, the newest first."""
        paths = sorted(self._paths(), key=lambda path: -path.stat().st_mtime_ns)
        return [
            {
                "id": path.name,
                "name": path.name.partition("_")[2],
                "uploaded": path.stat().st_mtime_ns // 1_000_000,
                "entry": [],
            }
            for path in paths
        ]

    def keep(self, name: str, content: bytes) -> Path:
        """Keep an uploaded program; the last part of its path is its id."""
        plain = re.sub(r"[^\w.-]", "_", name.replace("\\", "/").rpartition("/")[2], flags=re.ASCII)[-80:]
        if Path(plain).suffix not in (".py", ".zip"):
            raise ProgramError(f"a program is a Python file or a zip archive of modules, not {name!r}")
        if len(self._paths()) >= MOST_PROGRAMS:
            raise ProgramError(f"{MOST_PROGRAMS} programs are kept already; delete one first")
        folder = self._folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{secret_token(4).hex()}-{secret_token(4).hex()}_{plain.lstrip('.')}"
            path.write_bytes(content)
        except OSError as error:
            raise OutsideError(
                f"the program cannot be kept in {folder}: {error.strerror or error}"
            ) from error
        return path

    def delete(self, program: str) -> None:
        """Delete a program."""
        self._find(program).unlink(missing_ok=True)

    def plan(self, program: str, options: ProgramOptions) -> Any:
        """The plan of a program's first job."""
        said = self._penstock(["info", "--format", "json"], program, options)
        try:
            plan, _ = json.JSONDecoder().raw_decode(said.strip())
        except ValueError as error:
            raise ProgramError(f"the program has shown no plan: {said[-1000:]}") from error
        return plan

    def run(self, program: str, options: ProgramOptions) -> str:
        """Run a program; the id of its first job."""
        said = self._penstock(["run", "-d"], program, options)
        found = re.search(r"Job has been submitted with JobID (\w+)", said)
        if found is None:
            raise ProgramError(f"the program has submitted no job: {said[-1000:]}")
        return found[1]

    def run_application(self, program: str, options: ProgramOptions, wanted_id: str | None) -> str:
        """Run a program to its end, which is not waited for; the id of the application."""
        command = self._command(["run"], program, options)
        return self._api.applications.run(program.partition("_")[2], command, wanted_id)

    def _command(self, command: list[str], program: str, options: ProgramOptions) -> Command:
        named = _named(self._find(program), options)
        folder = self._conf_dir(options.settings)
        words = [*command, "--conf-dir", str(folder)]
        if options.parallelism is not None:
            words += ["-p", str(options.parallelism)]
        if options.savepoint is not None:
            words += ["-s", options.savepoint, *(["-n"] if options.leaves_state else [])]
        words += [*named, "--", *options.arguments]
        return Command(tuple(words), {"PENSTOCK_HOME": str(self._own().parent.parent)}, folder)

    def _penstock(self, command: list[str], program: str, options: ProgramOptions) -> str:
        if not self._free.acquire(blocking=False):
            raise OutsideError(f"{MOST_AT_ONCE} programs are being read already; ask again")
        made: Command | None = None
        try:
            made = self._command(command, program, options)
            done = subprocess.run(
                [sys.executable, "-m", "penstock", *made.words],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=RUN_S,
                check=False,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **made.environment},
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramError(f"the program did not come to its end within {RUN_S:g} s") from error
        except OSError as error:
            raise OutsideError(f"no process can be started: {error}") from error
        finally:
            self._free.release()
            if made is not None:
                made.ended()
        if done.returncode:
            raise ProgramError((done.stderr or done.stdout).strip()[-4000:])
        return done.stdout

    def _target(self) -> dict[str, str]:
        """Where the jobs of programs go, whatever options come with them: to this cluster."""
        host, port = self._api.address
        return {"execution.target": "remote", "rest.address": host, "rest.port": str(port)}

    def _conf_dir(self, settings: Iterable[tuple[str, str]]) -> Path:
        """The options of this cluster and of one program, in a directory that only the owner can read: the words of a command
        are seen by everybody on the machine, and options hold secrets."""
        options = {**self._api.settings, **dict(settings), **self._target()}
        folder = self._own() / CONFIGURATIONS / secret_token(8).hex()
        try:
            folder.mkdir(mode=0o700, parents=True)
            file = folder / "config.yaml"
            file.touch(mode=0o600)
            file.write_text(json.dumps({key: str(value) for key, value in options.items()}), encoding="utf-8")
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise OutsideError(
                f"the program's options cannot be kept in {folder}: {error.strerror or error}"
            ) from error
        return folder

    def _find(self, program: str) -> Path:
        path = self._folder() / program
        if not _ID.fullmatch(program) or not path.is_file():
            raise JobNotFound(f"there is no program {program}; GET /jars lists all")
        return path

    def _paths(self) -> list[Path]:
        folder = self._folder()
        if not folder.is_dir():
            return []
        return [path for path in folder.iterdir() if _ID.fullmatch(path.name)]

    def _folder(self) -> Path:
        uploads = self._api.chosen.uploads
        return self._own() if uploads is None else Path(uploads)

    def _own(self) -> Path:
        if self._api.directory is None:
            raise OutsideError("this JobManager has no directory to keep programs in")
        return own_folder(self._api.directory)


def own_folder(directory: Path) -> Path:
    """Where a JobManager has what it needs for programs, in its directory."""
    return directory / "programs"


def forget_configurations(directory: Path) -> None:
    """A JobManager starts: no program runs whose options another has left."""
    shutil.rmtree(own_folder(directory) / CONFIGURATIONS, ignore_errors=True)


def _named(path: Path, options: ProgramOptions) -> Sequence[str]:
    """How the command line names a program."""
    if options.entry is not None:
        return ["-pyfs", str(path), "-c", options.entry]
    if path.suffix == ".zip":
        raise ProgramError("a zip archive is run by a function in it: give entryClass as MODULE:FUNCTION")
    return ["-py", str(path)]
