"""Slot sharing groups on a cluster: each has slots of its own, and a job waits for the slots of all of them."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Cluster

PROGRAM = """
import os
from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(100)
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(200))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
here = numbers.rebalance().map(lambda n: f"source-{n % 2}-{os.getpid()}").name("light")
there = here.rebalance().map(lambda text: f"{text} trained-{os.getpid()}").name("train")
there.slot_sharing_group("heavy").print()
env.execute("grouped")
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    made = tmp_path / "grouped.py"
    made.write_text(PROGRAM)
    return made


def processes(cluster: Cluster) -> dict[str, set[str]]:
    """The processes in which the operators of each group have printed their names."""
    text = "\n".join(file.read_text() for file in (cluster.home / "log").glob("*taskmanager*.out"))
    return {name: set(re.findall(rf"{name}-(?:\d-)?(\d+)", text)) for name in ("source", "trained")}


@pytest.mark.slow
def test_a_job_waits_for_the_slots_of_all_its_groups_and_no_two_share_one(
    cluster: Cluster, program: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "3")
    job = cluster.submit(program, "-p", "2")
    says = "it needs 4 slots (2 for slot sharing group 'default', 2 for slot sharing group 'heavy'), the cluster has 3"
    cluster.wait_for(lambda: f"{says}, 3 of them free, and 1 are missing" in cluster.all_logs())
    assert cluster.job(job)["state"] == "CREATED"
    assert cluster.client.get("/overview")["slots-available"] == 3, "it takes none while it cannot have all"
    cluster.penstock("taskmanager", "start")
    cluster.wait_for_state(job, "RUNNING")
    overview = cluster.client.get("/overview")
    assert overview["slots-total"] - overview["slots-available"] == 4
    managers = cluster.client.get("/taskmanagers")["taskmanagers"]
    assert sum(each["slotsNumber"] - each["freeSlots"] for each in managers) == 4

    def both() -> dict[str, set[str]] | None:
        found = processes(cluster)
        return found if all(len(own) == 2 for own in found.values()) else None

    found = cluster.wait_for(both)
    assert not found["source"] & found["trained"]
    assert {each["slotSharingGroupId"] for each in cluster.job(job)["vertices"]} == {"default", "heavy"}
    _assert_places_are_told(cluster, job, {each["id"] for each in managers})


def _assert_places_are_told(cluster: Cluster, job: str, managers: set[Any]) -> None:
    """Each subtask is in a slot of some TaskManager, and as many of a group as slots are taken there."""
    wide = [each for each in cluster.job(job)["vertices"] if each["parallelism"] == 2]
    assert len({each["slotSharingGroupId"] for each in wide}) == 2
    by_group: dict[str, list[str]] = {}
    for vertex in wide:
        subtasks = cluster.client.get(f"/jobs/{job}/vertices/{vertex['id']}")["subtasks"]
        places = [each["taskmanager-id"] for each in subtasks]
        assert by_group.setdefault(vertex["slotSharingGroupId"], places) == places
        assert set(places) <= managers
    taken = [place for places in by_group.values() for place in places]
    for manager in cluster.client.get("/taskmanagers")["taskmanagers"]:
        assert taken.count(manager["id"]) == manager["slotsNumber"] - manager["freeSlots"]


@pytest.mark.slow
def test_rescaling_counts_the_slots_of_all_groups(cluster: Cluster, program: Path) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "5")
    job = cluster.submit(program, "-p", "1")
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["completed"])
    said = cluster.penstock("rescale", "-m", cluster.address, "-p", "3", job, check=False)
    assert "can have 5 slots, and needs 6 slots (3 for slot sharing group 'default', 3 for" in said
    cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job)
    assert cluster.client.get("/overview")["slots-available"] == 1
    path = f"/jobs/{job}/resource-requirements"
    wanted = {each: {"parallelism": {"lowerBound": 1, "upperBound": 8}} for each in cluster.client.get(path)}
    assert cluster.client.ask("PUT", path, wanted) == {}
    assert {each["parallelism"] for each in cluster.job(job)["vertices"]} == {2}


@pytest.mark.slow
def test_in_reactive_mode_a_job_is_as_wide_as_the_slots_of_all_its_groups_allow(
    cluster: Cluster, program: Path
) -> None:
    cooldown = "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling=0 s"
    cluster.penstock("start-cluster", "-n", "1", "-s", "3", "-D", "scheduler-mode=reactive", "-D", cooldown)
    job = cluster.submit(program)

    def runs_at(parallelism: int, free: int) -> bool:
        widths = {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]}
        found = (cluster.job(job)["state"], widths, cluster.client.get("/overview")["slots-available"])
        return found == ("RUNNING", {parallelism}, free)

    cluster.wait_for(lambda: runs_at(1, 1))
    cluster.penstock("taskmanager", "start", "-D", "taskmanager.numberOfTaskSlots=3")
    cluster.wait_for(lambda: runs_at(3, 0))
