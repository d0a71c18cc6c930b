"""Carries out ``penstock savepoint``: tells what is in a savepoint, and what a program would make of it."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import UTC, datetime
from functools import partial
from typing import Any

from penstock.checkpoint.contents import NATIVE, OperatorContent, StateContent, contents_of, counted
from penstock.checkpoint.manifest import Manifest, read_manifest
from penstock.checkpoint.restore_report import Fate, OperatorFate, RestoreReport, restore_report
from penstock.cli.carrying_out import FAILED, carry_out, report
from penstock.cli.explaining import PlannedJob
from penstock.cli.program import Program
from penstock.cli.running import NO_JOB
from penstock.cli.settings import Settings
from penstock.config.configuration import Configuration
from penstock.dataflow.job import JobGraph
from penstock.dataflow.logical import LogicalGraph
from penstock.dataflow.submission import RunningJob, Submit
from penstock.errors import PenstockError, StateError
from penstock.plan.compile import compile_graph
from penstock.runtime.declared_states import declared_states
from penstock.state.native_entries import open_rocksdb_files
from penstock.storage.reading import absolute_path

_ALLOW = "execution.state-recovery.ignore-unclaimed-state"
_HEADINGS = ("state", "kind", "type", "columns", "rows", "bytes")


def inspect_savepoint(path: str, as_json: bool) -> int:
    """Print what is in a savepoint or checkpoint; gives the exit code."""
    try:
        manifest, place = read_manifest(absolute_path(path))
    except StateError as error:
        report(f"Error: {error.message}")
        return FAILED
    contents = contents_of(manifest)
    try:
        contents = counted(contents, manifest, place, partial(open_rocksdb_files, {}))
    except PenstockError as error:
        report(f"Rows in files of RocksDB cannot be counted: {error.message}")
    if as_json:
        print(json.dumps(_as_json(manifest, contents), indent=2))
        return 0
    print(_heading(manifest))
    for content in contents:
        print(f"\n{_titled(content)}")
        if content.states:
            print(_table([_HEADINGS, *(_row(state) for state in content.states)]))
    return 0


def check_savepoint(
    path: str, program: Program, settings: Settings, as_json: bool, opens: bool = True
) -> int:
    """Compare a program's job with a savepoint and print what would become of every state; gives the exit code.

    ``opens``: functions are opened to see which states they declare. What the program itself prints goes to standard error.
    """
    try:
        manifest, place = read_manifest(absolute_path(path))
    except StateError as error:
        report(f"Error: {error.message}")
        return FAILED
    graphs: list[JobGraph] = []

    def plan(graph: LogicalGraph, submit: Submit) -> RunningJob:
        graphs.append(compile_graph(graph))
        return PlannedJob(graph.job_name)

    with redirect_stdout(sys.stderr):
        ending = carry_out(program, settings, plan)
    if ending.exit_code or not graphs:
        report(NO_JOB if not graphs else "")
        return ending.exit_code or FAILED
    if len(graphs) > 1:
        report(f"The program has {len(graphs)} jobs; the first of them is compared: {graphs[0].job_name!r}")
    allow = bool(Configuration.from_dict(graphs[0].settings).get(_ALLOW))
    try:
        with redirect_stdout(sys.stderr):
            declare = partial(declared_states, graphs[0]) if opens else None
            found = restore_report(manifest, place, graphs[0], allow, declare)
    except StateError as error:
        report(f"Error: {error.message}")
        return FAILED
    print(json.dumps(_report_as_json(found), indent=2) if as_json else _report_text(found, graphs[0], path))
    return 0 if found.can_start else FAILED


# As text ---------------------------------------------------------------------------------------------------------------


def _heading(manifest: Manifest) -> str:
    kind = "Savepoint" if manifest.is_savepoint else "Checkpoint"
    taken = datetime.fromtimestamp(manifest.timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"{kind} {manifest.checkpoint_id} of job {manifest.job_name!r} ({manifest.job_id}), taken {taken}, "
        f"{manifest.state_bytes} bytes of state"
    )


def _titled(content: OperatorContent) -> str:
    parts = [f"parallelism {content.parallelism}", f"maximum parallelism {content.max_parallelism}"]
    if content.key_groups:
        ranges = ", ".join(f"{groups.start}-{groups.stop - 1}" for groups in content.key_groups.values())
        parts.append(f"key groups {ranges}")
    if content.finished_subtasks:
        parts.append(f"{content.finished_subtasks} subtasks had finished")
    if not content.states:
        parts.append("no state")
    return f"{content.name} ({content.operator_id}): {', '.join(parts)}"


def _row(state: StateContent) -> tuple[str, ...]:
    kind = f"{state.kind}, ttl" if state.has_ttl else state.kind
    columns = ", ".join(f"{name} {kind}" for name, kind in state.columns)
    return (
        state.name or "-",
        kind,
        state.type_text or "-",
        columns or "-",
        "-" if state.rows is None else str(state.rows),
        "in native" if state.is_native and state.kind != NATIVE else str(state.size_bytes),
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines)


def _report_text(found: RestoreReport, graph: JobGraph, path: str) -> str:
    lines = [f"Job {graph.job_name!r} from {path}:"]
    lines += [f"  {_fate_text(fate)}" for fate in found.operators]
    if found.can_start:
        return "\n".join([*lines, "It can start from there."])
    return "\n".join([*lines, "It cannot start from there:", *(f"  {problem}" for problem in found.problems)])


def _fate_text(fate: OperatorFate) -> str:
    states = [] if fate.content is None else [state.name or state.kind for state in fate.content.states]
    where = f", made at {fate.origin}" if fate.origin else ""
    text = f"{fate.fate.value}: {fate.name} ({fate.operator_id}{where})"
    if states:
        text += f": {', '.join(states)}"
    return "\n".join([text, *(f"    {line}" for line in (*fate.changes, *fate.remarks))])


# As JSON ---------------------------------------------------------------------------------------------------------------


def _as_json(manifest: Manifest, contents: list[OperatorContent]) -> dict[str, Any]:
    return {
        "checkpoint_id": manifest.checkpoint_id,
        "timestamp_ms": manifest.timestamp_ms,
        "job_id": manifest.job_id,
        "job_name": manifest.job_name,
        "savepoint": manifest.is_savepoint,
        "state_bytes": manifest.state_bytes,
        "operators": [_content_as_json(content) for content in contents],
    }


def _content_as_json(content: OperatorContent) -> dict[str, Any]:
    return {
        "id": content.operator_id,
        "name": content.name,
        "parallelism": content.parallelism,
        "max_parallelism": content.max_parallelism,
        "finished_subtasks": content.finished_subtasks,
        "key_groups": {
            str(subtask): [groups.start, groups.stop - 1] for subtask, groups in content.key_groups.items()
        },
        "states": [
            {
                "name": state.name,
                "kind": state.kind,
                "type": state.type_text,
                "ttl": state.has_ttl,
                "rows": state.rows,
                "bytes": state.size_bytes,
                "native": state.is_native,
                "columns": dict(state.columns),
            }
            for state in content.states
        ],
    }


def _report_as_json(found: RestoreReport) -> dict[str, Any]:
    by_fate: dict[Fate, list[dict[str, Any]]] = {fate: [] for fate in Fate}
    for fate in found.operators:
        entry: dict[str, Any] = {"id": fate.operator_id, "name": fate.name}
        if fate.content is not None:
            entry["states"] = [state.name or state.kind for state in fate.content.states]
        if fate.changes:
            entry["changes"] = [str(change) for change in fate.changes]
        if fate.remarks:
            entry["remarks"] = list(fate.remarks)
        by_fate[fate.fate].append(entry)
    return {
        "can_start": found.can_start,
        **{fate.value.replace(" ", "_"): entries for fate, entries in by_fate.items()},
        "problems": list(found.problems),
    }
