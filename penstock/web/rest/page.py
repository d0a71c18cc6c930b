"""A plain page that shows jobs and TaskManagers to a person."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from penstock.deploy.cluster.dispatcher import DispatchedJob
from penstock.deploy.cluster.slots import TaskManagerEntry

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>penstock</title><meta http-equiv="refresh" content="3">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1c2733 }}
table {{ border-collapse: collapse; width: 100%; margin: .5rem 0 2rem }}
th, td {{ text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #d7dee6 }}
code {{ font-size: 13px }}
</style></head><body>
<h1>penstock</h1>
<p>{slots} slots, {free} of them free, on {taskmanagers} TaskManagers.</p>
<h2>Jobs</h2>{jobs}
<h2>TaskManagers</h2>{managers}
</body></html>"""


def overview_page(jobs: list[DispatchedJob], entries: list[TaskManagerEntry]) -> str:
    """The page as HTML."""
    lines = [
        (
            escape(job.name),
            f'<a href="/jobs/{job.id}"><code>{job.id}</code></a>',
            job.status.name,
            _time(job.started_at_ms),
        )
        for job in reversed(jobs)
    ]
    managers = [
        (
            f'<a href="/taskmanagers/{escape(entry.description.id)}">{escape(entry.description.id)}</a>',
            str(entry.description.slots),
            str(entry.free),
            _files_of(escape(entry.description.id)),
        )
        for entry in entries
    ]
    return _PAGE.format(
        slots=sum(entry.description.slots for entry in entries),
        free=sum(entry.free for entry in entries),
        taskmanagers=len(entries),
        jobs=_table(("Name", "Id", "State", "Start (UTC)"), lines, "No job was submitted yet."),
        managers=_table(("Id", "Slots", "Free", "Files"), managers, "No TaskManager has joined yet."),
    )


def _files_of(id: str) -> str:
    return f'<a href="/taskmanagers/{id}/log">log</a> <a href="/taskmanagers/{id}/stdout">output</a>'


def _table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]], nothing: str) -> str:
    if not lines:
        return f"<p>{nothing}</p>"
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return "<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + f"</tr>{rows}</table>"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
