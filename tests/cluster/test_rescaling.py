"""Jobs that go on at another parallelism: when somebody asks, and as slots come and go."""

import os
import signal
from pathlib import Path

import pytest

from penstock.contracts.partitioning import Forward, Rebalance
from penstock.dataflow.rescaling import rescaled
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import ProgramError
from penstock.plan.compile import compile_graph
from tests.cluster.conftest import Cluster
from tests.cluster.test_fencing import COUNT, assert_comes_to_its_end_exactly_once, complete_lines

PROGRAM = Path(__file__).with_name("to_files.py")


def environment() -> StreamExecutionEnvironment:
    made = StreamExecutionEnvironment.get_execution_environment()
    made.set_parallelism(2)
    return made


def test_only_what_the_program_left_open_is_rescaled_and_forwarding_becomes_rebalancing() -> None:
    env = environment()
    numbers = env.from_collection([1, 2, 3]).key_by(lambda number: number)
    numbers.map(str).disable_chaining().map(str.upper).set_parallelism(2).disable_chaining().print()
    graph = compile_graph(env.get_stream_graph())
    bigger = rescaled(graph, 5)
    before = [(vertex.parallelism, vertex.follows_default) for vertex in graph.vertices]
    assert [vertex.parallelism for vertex in bigger.vertices] == [
        5 if follows else parallelism for parallelism, follows in before
    ]
    assert {follows for _, follows in before} == {True, False}
    for edge in bigger.edges:
        same = bigger.vertex(edge.source).parallelism == bigger.vertex(edge.target).parallelism
        assert same or not isinstance(edge.partitioning, Forward)
    assert any(isinstance(edge.partitioning, Rebalance) for edge in bigger.edges)


def test_what_cannot_be_rescaled_is_refused_with_the_reason() -> None:
    env = environment()
    env.from_collection([1]).set_parallelism(1).map(str).set_parallelism(1).print().set_parallelism(1)
    with pytest.raises(ProgramError, match="parallelism of its own"):
        rescaled(compile_graph(env.get_stream_graph()), 3)
    other = environment()
    other.set_max_parallelism(4)
    other.from_collection([1]).map(str).print()
    with pytest.raises(ProgramError, match="maximum parallelism is 4"):
        rescaled(compile_graph(other.get_stream_graph()), 5)


@pytest.mark.slow
def test_a_job_goes_on_at_another_parallelism_exactly_once(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "3")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "1", checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    said = cluster.penstock("rescale", "-m", cluster.address, "-p", "3", job)
    assert f"Rescaled job {job}. Its new parallelism is 3." in said
    assert {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {3}
    assert cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["restored"]["id"] > 0
    assert_comes_to_its_end_exactly_once(cluster, job, directory)
    assert "a job is rescaled while it runs" in cluster.penstock(
        "rescale", "-m", cluster.address, "-p", "2", job, check=False
    )


@pytest.mark.slow
def test_a_rescaled_job_that_is_taken_up_again_keeps_its_parallelism(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "1", checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job)
    before = len(complete_lines(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.penstock("jobmanager", "start")
    cluster.wait_for_state(job, "RUNNING")
    assert {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {2}
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_in_reactive_mode_parallelism_follows_the_slots(cluster: Cluster, tmp_path: Path) -> None:
    cooldown = "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling=0 s"
    cluster.penstock("start-cluster", "-n", "1", "-D", "scheduler-mode=reactive", "-D", cooldown)
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, checkpoints, "--", str(COUNT), "150", str(directory))

    def runs_at(parallelism: int) -> None:
        cluster.wait_for(
            lambda: (
                cluster.job(job)["state"] == "RUNNING"
                and {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {parallelism}
            )
        )
        before = len(complete_lines(directory))
        cluster.wait_for(lambda: len(complete_lines(directory)) > before)

    runs_at(1)
    cluster.penstock("taskmanager", "start")
    runs_at(2)
    os.kill(cluster.pids("taskmanager")[0], signal.SIGKILL)
    runs_at(1)
    lines = complete_lines(directory)
    assert len(set(lines)) == len(lines)
    cluster.penstock("cancel", "-m", cluster.address, job)
    cluster.wait_for_state(job, "CANCELED")
