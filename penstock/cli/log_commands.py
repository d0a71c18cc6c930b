"""``penstock logs``: what the processes of a cluster have written, for one job, too."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from penstock.cli.carrying_out import report
from penstock.cli.job_commands import Task, carefully, client_for, client_options
from penstock.clock import monotonic, pause
from penstock.deploy.remote.client import ClusterClient
from penstock.errors import OutsideError, ProgramError

LOOK_AGAIN_S = 0.3


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("--out", is_flag=True, help="What was printed, instead of the log.")
@click.argument("whose", metavar="jobmanager|taskmanager|JOB", default="jobmanager")
@click.argument("taskmanager", required=False)
@client_options
def logs(follow: bool, out: bool, whose: str, taskmanager: str | None, **given: Any) -> Task:
    """Show logs of a cluster or of a job.

    They are the JobManager's, the TaskManagers' (or of the one that is named), or a job's: the lines of the JobManager that
    name it, and what the TaskManagers have printed on which it runs; once it has ended, so has -f.
    """
    if taskmanager is not None and whose != "taskmanager":
        raise click.UsageError(f"only `logs taskmanager` takes the id of a TaskManager, not {taskmanager!r}")
    client = client_for(given)

    def work() -> None:
        parts = list(_parts(client, whose, taskmanager, out))
        is_job = whose not in ("jobmanager", "taskmanager")

        def show() -> bool:
            """What is new; says whether that was all."""
            path = f"/v1/jobs/{whose}/execution-result"
            has_ended = is_job and client.get(path)["status"]["id"] == "COMPLETED"
            is_one_gone = False
            for part in parts:
                try:
                    part.show(client, headed=len(parts) > 1)
                except ProgramError:  # its TaskManager is gone, or has not found its new JobManager yet
                    if not follow:
                        raise
                    is_one_gone = True
            if is_one_gone:
                with suppress(ProgramError):
                    known = {part.path for part in parts}
                    parts.extend(e for e in _parts(client, whose, taskmanager, out) if e.path not in known)
            return not follow or has_ended

        while True:
            try:
                if show():
                    return
            except OutsideError as error:
                if not follow:
                    raise
                _wait_for_another(client, error)
                for part in parts:
                    part.begin_anew()
            pause(LOOK_AGAIN_S)

    return carefully(work)


def _wait_for_another(client: ClusterClient, error: OutsideError) -> None:
    """The JobManager is gone: wait for the one that is started again."""
    report(f"{error.message}; waiting for {client.patience_s:g} s")
    deadline = monotonic() + client.patience_s
    while True:
        pause(LOOK_AGAIN_S)
        try:
            client.get("/v1/overview")
            return
        except OutsideError:
            if monotonic() >= deadline:
                raise


@dataclass(slots=True)
class _Part:
    """One file. ``only`` is what a line has to have in it to be shown."""

    title: str
    path: str
    only: str = ""
    start: int = 0
    _rest: bytes = b""

    def begin_anew(self) -> None:
        """Another JobManager has a log of its own; that of a TaskManager goes on."""
        if "/jobmanager/" in self.path:
            self.start, self._rest = 0, b""

    def show(self, client: ClusterClient, headed: bool) -> None:
        """Print what is new, whole lines only."""
        content, begin = client.file(self.path, self.start)
        if begin != self.start:
            self._rest = b""
        self.start = begin + len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        shown = [line.decode(errors="replace") for line in lines]
        shown = [line for line in shown if self.only in line]
        if shown and headed:
            click.echo(f"==> {self.title} <==")
        for line in shown:
            click.echo(line)
        sys.stdout.flush()


def _parts(client: ClusterClient, whose: str, taskmanager: str | None, out: bool) -> Iterator[_Part]:
    kind = "stdout" if out else "log"
    if whose == "jobmanager":
        yield _Part("jobmanager", f"/v1/jobmanager/{kind}")
        return
    known = [entry["id"] for entry in client.get("/v1/taskmanagers")["taskmanagers"]]
    if whose == "taskmanager":
        if taskmanager is not None and taskmanager not in known:
            raise ProgramError(
                f"there is no TaskManager {taskmanager}; there are {', '.join(known) or 'none'}"
            )
        for each in known if taskmanager is None else [taskmanager]:
            yield _Part(each, f"/v1/taskmanagers/{each}/{kind}")
        return
    job = client.get(f"/v1/jobs/{whose}")
    if not out:
        yield _Part("jobmanager", "/v1/jobmanager/log", only=whose)
    places = {
        subtask["taskmanager-id"]
        for vertex in job["vertices"]
        for subtask in client.get(f"/v1/jobs/{whose}/vertices/{vertex['id']}")["subtasks"]
    }
    for each in sorted(places & set(known)):
        yield _Part(each, f"/v1/taskmanagers/{each}/stdout")


COMMANDS = (logs,)
