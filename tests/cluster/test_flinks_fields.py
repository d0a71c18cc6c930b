"""The answers of Flink 2.3, as one of its clusters gave them: each field is in ours, with the same kind of value.

``flink_answers.json`` has them, with the kind of each value in its place; a list has its first element, as has a map of
ids.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Cluster

PROGRAM = Path(__file__).with_name("counting.py")
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("flink_answers.json").read_text())
_DURATIONS = r"status-duration\..+"
_VERTEX = "/jobs/:job/vertices/:vertex"
# What ours have not, as docs/guide/cluster.md says.
MISSING = {
    "/jobs/:job/checkpoints": r"summary\.(alignment_buffered|persisted_data|processed_data)",
    "/jobs/:job/checkpoints/details/:checkpoint/subtasks/:vertex": (
        r"subtasks\[\]\.(alignment|checkpoint|className|start_delay|unaligned_checkpoint)"
        r"|summary\.(alignment|checkpoint_duration|start_delay|\w+\.p\d+)"
    ),
    _VERTEX: rf"aggregated\.metrics\..+|(aggregated|subtasks\[\])\.{_DURATIONS}",
    f"{_VERTEX}/subtasks/0": _DURATIONS,
    f"{_VERTEX}/subtasks/0/attempts/0": _DURATIONS,
    f"{_VERTEX}/taskmanagers": rf"taskmanagers\[\]\.aggregated\.(metrics\..+|{_DURATIONS})",
}


@pytest.fixture(scope="module")
def names(running_cluster: Cluster) -> dict[str, str]:
    cluster = running_cluster
    job = cluster.submit(PROGRAM, "-p", "2", "--", "100000", "100")
    cluster.wait_for_state(job, "RUNNING")
    latest = cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["completed"])
    (manager,) = cluster.client.get("/taskmanagers")["taskmanagers"]
    vertex = cluster.job(job)["vertices"][1]["id"]
    return {"job": job, "vertex": vertex, "taskmanager": manager["id"], "checkpoint": str(latest["id"])}


def missing(flinks: Any, ours: Any, place: str = "") -> set[str]:
    """Where ours has no field, or one of another kind; null fits all."""
    if flinks == "null" or ours is None:
        return set()
    if isinstance(flinks, dict):
        if not isinstance(ours, dict):
            return {place}
        found = {f"{place}.{name}".lstrip(".") for name in flinks.keys() - ours.keys()}
        return found.union(
            *(
                missing(flinks[each], ours[each], f"{place}.{each}".lstrip("."))
                for each in flinks.keys() & ours.keys()
            )
        )
    if isinstance(flinks, list):
        values = list(ours.values()) if isinstance(ours, dict) else ours  # or a map of ids
        if not isinstance(values, list):
            return {place}
        if not flinks or not values:
            return set()
        return set.intersection(*(missing(flinks[0], each, f"{place}[]") for each in values))
    kinds = {"boolean": bool, "number": (int, float), "string": str}
    fits = isinstance(ours, kinds[flinks]) and isinstance(ours, bool) == (flinks == "boolean")
    return set() if fits else {place}


@pytest.mark.parametrize("path", RECORDED)
def test_every_field_of_flink_is_there(running_cluster: Cluster, names: dict[str, str], path: str) -> None:
    latest = running_cluster.client.get(f"/jobs/{names['job']}/checkpoints")["latest"]["completed"]
    target = path
    for name, value in {**names, "checkpoint": str(latest["id"])}.items():
        target = target.replace(f":{name}", value)
    found = missing(RECORDED[path], running_cluster.client.get(target))
    assert [each for each in sorted(found) if not re.fullmatch(MISSING.get(path, ""), each)] == []
