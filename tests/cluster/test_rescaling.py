"""Jobs that go on at another parallelism: when somebody asks, and as slots come and go."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import read_manifest
from penstock.checkpoint.place import SHARED_PREFIX
from penstock.checkpoint.removal import shared_files
from penstock.contracts.partitioning import Forward, Rebalance
from penstock.dataflow.rescaling import ParallelismBounds, rescaled
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import OutsideError, ProgramError, StateError
from penstock.plan.compile import compile_graph
from penstock.web.rest.requirement_operations import bounds_of
from penstock.web.rest.vertex_views import vertex_id
from tests.cluster.conftest import Cluster
from tests.cluster.test_fencing import COUNT, assert_comes_to_its_end_exactly_once, complete_lines

PROGRAM = Path(__file__).with_name("to_files.py")
WITHOUT_CHECKPOINTS = """
from penstock.common import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy

env = StreamExecutionEnvironment.get_execution_environment()
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(10))
env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers").map(str).print()
env.execute("without checkpoints")
"""
COLLECTING = """
import os, sys
from penstock.common import WatermarkStrategy
from penstock.connectors.datagen.rate_limiting import RateLimiter, RateLimiterStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource

class Held(RateLimiterStrategy):
    def __init__(self, marker):
        self.marker = marker
    def create_rate_limiter(self, parallelism):
        return HeldLimiter(self.marker)

class HeldLimiter(RateLimiter):
    # A reader emits 150 of the 600 rows and then none until the marker is there, so that two attempts do not end the job.
    def __init__(self, marker):
        self.marker, self.emitted = marker, 0
    def permitted(self, now_ms):
        return 10 if os.path.exists(self.marker) else min(10, 150 - self.emitted)
    def used(self, records):
        self.emitted += records
    def wait_ms(self, now_ms):
        return 20

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(100)
source = DataGeneratorSource(lambda index: index, 600, Held(sys.argv[1]))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
numbers = numbers.key_by(lambda number: number % 3).map(lambda number: number)
with numbers.execute_and_collect("collecting") as rows:
    found = list(rows)
print("whole:", sorted(found) == list(range(600)), len(found))
"""
ONLY_ALONE = """
import sys
from tests.cluster import to_files
from tests.cluster.counting import Count

class Alone(Count):
    def open(self, runtime_context):
        super().open(runtime_context)
        if runtime_context.get_number_of_parallel_subtasks() > 1:
            raise RuntimeError("there is room for one only")

to_files.Count = Alone
to_files.main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
"""
REFUSES_ONCE = """
import os, sys
from contextlib import suppress
from tests.cluster import to_files
from tests.cluster.counting import Count

class Refusing(Count):
    def __init__(self, path):
        self.path = path

    def __setstate__(self, state):
        self.__dict__.update(state)
        with suppress(FileNotFoundError):
            os.remove(self.path)
            raise RuntimeError("it does not want to run now")

to_files.Count = lambda: Refusing(sys.argv[4])
to_files.main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
"""


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


def test_the_bounds_of_all_vertices_hold_together() -> None:
    env = environment()
    env.set_max_parallelism(16)
    numbers = env.from_collection([1]).set_parallelism(1).disable_chaining().map(str).disable_chaining()
    numbers.key_by(str).map(str).disable_chaining().print().disable_chaining()
    graph = compile_graph(env.get_stream_graph())

    def bounded(*pairs: tuple[Any, Any]) -> ParallelismBounds:
        given = {}
        for vertex, (lower, upper) in zip(graph.vertices, pairs, strict=False):
            given[vertex_id(vertex)] = {"parallelism": {"lowerBound": lower, "upperBound": upper}}
        return bounds_of(graph, given)

    own, count = (1, 1), len(graph.vertices)
    assert [vertex.follows_default for vertex in graph.vertices] == [False] + [True] * (count - 1)
    assert bounded(own, (1, 8), *[(3, 9)] * (count - 2)) == ParallelismBounds(3, 8)
    for pairs, says in (
        ([own], "every vertex"),
        ([own, (1, 2), *[(3, 4)] * (count - 2)], "at least 3 and at most 2"),
        ([(2, 3), *[(1, 2)] * (count - 1)], "of its own"),
        ([own, *[(0, 2)] * (count - 1)], "1 <= lowerBound"),
        ([own, *[(1, 17)] * (count - 1)], "<= 16"),
        ([own, *[(1, "2")] * (count - 1)], "upperBound"),
        ([own, *[(True, 2)] * (count - 1)], "upperBound"),
    ):
        with pytest.raises(ProgramError, match=says):
            bounded(*pairs)


@pytest.mark.slow
def test_a_job_goes_to_the_highest_parallelism_of_its_requirements_that_slots_allow(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "1", checkpoints, "--", str(COUNT), "150", str(directory))
    path = f"/jobs/{job}/resource-requirements"
    told = cluster.client.get(path)
    assert list(told) == [vertex["id"] for vertex in cluster.job(job)["vertices"]]
    assert list(told.values()) == [{"parallelism": {"lowerBound": 1, "upperBound": 1}}] * len(told)
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    wanted = {each: {"parallelism": {"lowerBound": 1, "upperBound": 8}} for each in told}
    assert cluster.client.ask("PUT", path, wanted) == {}

    def runs_at_two() -> bool:
        found = cluster.job(job)
        return found["state"] == "RUNNING" and {each["parallelism"] for each in found["vertices"]} == {2}

    cluster.wait_for(runs_at_two)
    assert cluster.client.get(path) == wanted
    assert cluster.client.ask("PUT", path, wanted) == {}, "nothing is to be done"
    too_many = {each: {"parallelism": {"lowerBound": 3, "upperBound": 8}} for each in told}
    with pytest.raises(OutsideError, match="can have 2 slots, and its lowest parallelism is to be 3"):
        cluster.client.ask("PUT", path, too_many)
    assert cluster.client.get(path) == wanted
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.penstock("jobmanager", "start")
    cluster.wait_for(runs_at_two)
    assert cluster.client.get(path) == wanted
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


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
def test_a_job_that_cannot_run_at_a_parallelism_goes_on_as_it_was(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2", "-D", "slot.request.timeout=1 s")
    directory = tmp_path / "out"
    program = tmp_path / "refuses_once.py"
    program.write_text(REFUSES_ONCE)
    job = cluster.submit(
        program,
        "-p",
        "1",
        f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}",
        "-Drestart-strategy.type=none",
        "--",
        str(COUNT),
        "150",
        str(directory),
        str(tmp_path / "refuse"),
    )
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    said = cluster.penstock("rescale", "-m", cluster.address, "-p", "3", job, check=False)
    assert "can have 2 slots, and needs 3" in said and "penstock taskmanager start" in said
    assert cluster.job(job)["state"] == "RUNNING"
    (tmp_path / "refuse").touch()
    said = cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job, check=False)
    assert "did not come to run at parallelism 2, and goes on at 1" in said
    assert "it does not want to run now" in said
    cluster.wait_for_state(job, "RUNNING")
    assert {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {1}
    history = cluster.client.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]
    assert any("it does not want to run now" in entry["stacktrace"] for entry in history)
    counts = cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]
    assert counts["completed"] > 0 and counts["restored"] == 1
    before = len(complete_lines(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_job_whose_functions_do_not_open_at_a_parallelism_goes_on_as_it_was(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    program = tmp_path / "only_alone.py"
    program.write_text(ONLY_ALONE)
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    for strategy in ("none", "fixed-delay"):
        directory = tmp_path / f"out-{strategy}"
        options = ("-p", "1", checkpoints, f"-Drestart-strategy.type={strategy}")
        job = cluster.submit(program, *options, "--", str(COUNT), "150", str(directory))
        cluster.wait_for(lambda directory=directory: len(complete_lines(directory)) > 20)
        said = cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job, check=False)
        assert "did not come to run at parallelism 2, and goes on at 1" in said
        assert "there is room for one only" in said
        cluster.wait_for_state(job, "RUNNING")
        assert {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {1}
        if strategy == "none":
            path = f"/jobs/{job}/resource-requirements"
            told = cluster.client.get(path)
            cluster.client.ask(
                "PUT", path, {each: {"parallelism": {"lowerBound": 1, "upperBound": 2}} for each in told}
            )
            cluster.wait_for(lambda: "are not met: job" in cluster.all_logs())
            cluster.wait_for(lambda path=path, told=told: cluster.client.get(path) == told)
            cluster.wait_for_state(job, "RUNNING")
        before = len(complete_lines(directory))
        cluster.wait_for(lambda directory=directory, before=before: len(complete_lines(directory)) > before)
        assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_job_that_is_cancelled_while_it_is_rescaled_is_cancelled(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    directory, checkpoints = tmp_path / "out", tmp_path / "checkpoints"
    options = ("-p", "1", f"-Dexecution.checkpointing.dir={checkpoints}")
    for _ in range(3):
        job = cluster.submit(PROGRAM, *options, "--", str(COUNT), "150", str(directory))
        before = len(complete_lines(directory))
        cluster.wait_for(lambda before=before: len(complete_lines(directory)) > before + 5)
        trigger = cluster.client.ask("PATCH", f"/jobs/{job}/rescaling?parallelism=2")["request-id"]
        cluster.client.ask("PATCH", f"/jobs/{job}?mode=cancel")
        with pytest.raises(ProgramError, match=r"was cancelled|is CANCELED"):
            cluster.client.wait_for(f"/jobs/{job}/rescaling/{trigger}")
        with pytest.raises(ProgramError, match="a job is rescaled while it runs"):
            cluster.client.ask("PATCH", f"/jobs/{job}/rescaling?parallelism=2")
        cluster.wait_for_state(job, "CANCELED")
        # As any other job that was cancelled it leaves nothing that it was not told to keep.
        cluster.wait_for(lambda job=job: not (checkpoints / job).exists())
        assert cluster.job(job)["state"] == "CANCELED"
    cluster.wait_for(lambda: cluster.client.get("/overview")["slots-available"] == 2)


@dataclass(frozen=True, slots=True)
class Collecting:
    """A job whose rows go to its program, and which does not come to its end before it is told to."""

    job: str
    marker: Path
    said: Future[str]

    def ends_whole(self) -> None:
        """Let it come to its end, and look at its rows."""
        self.marker.touch()
        assert "whole: True 600" in self.said.result()


@pytest.fixture
def start_collecting(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[[str], Collecting]]:
    marker = tmp_path / "to-its-end"

    def start(text: str) -> Collecting:
        program = tmp_path / "collecting.py"
        program.write_text(text)
        checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
        words = ("run", "-m", cluster.address, "-p", "1", checkpoints, str(program), str(marker))
        said = threads.submit(cluster.penstock, *words, check=False)
        job = cluster.wait_for(lambda: cluster.client.get("/jobs")["jobs"])[0]["id"]
        cluster.wait_for_state(job, "RUNNING")
        return Collecting(job, marker, said)

    with ThreadPoolExecutor() as threads:
        yield start
        marker.touch()


@pytest.mark.slow
def test_rows_of_a_job_come_to_its_program_each_once_though_it_is_rescaled(
    cluster: Cluster, start_collecting: Callable[[str], Collecting]
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    collecting = start_collecting(COLLECTING)
    path = f"/jobs/{collecting.job}/checkpoints"
    cluster.wait_for(lambda: cluster.client.get(path)["counts"]["completed"] > 5)
    cluster.penstock("rescale", "-m", cluster.address, "-p", "2", collecting.job)
    assert 2 in {vertex["parallelism"] for vertex in cluster.job(collecting.job)["vertices"]}
    collecting.ends_whole()


@pytest.mark.slow
def test_a_job_whose_rows_would_come_twice_is_not_rescaled(
    cluster: Cluster, start_collecting: Callable[[str], Collecting]
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    collecting = start_collecting(COLLECTING.replace("env.enable_checkpointing(100)", ""))
    cluster.penstock("checkpoint", "-m", cluster.address, collecting.job)
    refused = cluster.penstock("rescale", "-m", cluster.address, "-p", "2", collecting.job, check=False)
    assert "rows were given to its program that would come a second time; enable checkpointing" in refused
    collecting.ends_whole()


def kept_checkpoints(directory: Path) -> list[CompletedCheckpoint]:
    """The checkpoints of a job, the oldest first, as far as they are there whole at this moment."""
    found = []
    for path in directory.glob("*/chk-*/_metadata"):
        with suppress(StateError):
            found.append(CompletedCheckpoint(read_manifest(str(path))[0], str(path.parent)))
    return sorted(found, key=lambda each: each.checkpoint_id)


@pytest.mark.slow
def test_a_rescaled_job_keeps_the_files_of_the_checkpoint_before_its_last(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-s", "2")
    directory, checkpoints = tmp_path / "out", tmp_path / "checkpoints"
    job = cluster.submit(
        PROGRAM,
        "-p",
        "1",
        f"-Dexecution.checkpointing.dir={checkpoints}",
        "-Dexecution.checkpointing.num-retained=2",
        "-Dexecution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION",
        "-Dstate.backend.type=rocksdb",
        "-Dexecution.checkpointing.incremental=true",
        "--",
        str(COUNT),
        "150",
        str(directory),
    )
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job)
    after = kept_checkpoints(checkpoints)[-1].checkpoint_id
    cluster.wait_for(lambda: len(kept_checkpoints(checkpoints)) == 2)
    cluster.wait_for(lambda: kept_checkpoints(checkpoints)[-1].checkpoint_id > after + 3)
    cluster.penstock("cancel", "-m", cluster.address, job)
    cluster.wait_for_state(job, "CANCELED")
    cluster.wait_for(lambda: len(kept_checkpoints(checkpoints)) == 2)
    shared = checkpoints / job / "shared"
    named = [shared_files(each) for each in kept_checkpoints(checkpoints)]
    assert all(named), "checkpoints of this backend share files"
    names = {name.removeprefix(SHARED_PREFIX) for each in named for name in each}
    cluster.wait_for(lambda: {path.name for path in shared.iterdir()} == names)


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
    counts = cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]
    assert counts["completed"] > counts["restored"] == 1  # what was before the last change is told, too
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_job_without_a_checkpoint_goes_to_fewer_slots_as_it_starts_again(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "2", "-D", "scheduler-mode=reactive")
    program = tmp_path / "without_checkpoints.py"
    program.write_text(WITHOUT_CHECKPOINTS)
    job = cluster.submit(program, "-p", "2", "-Drestart-strategy.type=fixed-delay")

    def parallelisms() -> set[int]:
        found = cluster.job(job)
        return (
            {vertex["parallelism"] for vertex in found["vertices"]} if found["state"] == "RUNNING" else set()
        )

    cluster.wait_for(lambda: parallelisms() == {2})
    os.kill(cluster.pids("taskmanager")[0], signal.SIGKILL)
    cluster.wait_for(lambda: parallelisms() == {1})
    assert cluster.all_logs().count("cannot go to parallelism") <= 1


@pytest.mark.slow
def test_in_reactive_mode_a_job_that_takes_no_checkpoints_begins_again_on_more_slots(
    cluster: Cluster, tmp_path: Path
) -> None:
    delay = "jobmanager.adaptive-scheduler.rescale-trigger.max-delay=100 ms"
    cluster.penstock("start-cluster", "-n", "1", "-D", "scheduler-mode=reactive", "-D", delay)
    program = tmp_path / "without_checkpoints.py"
    program.write_text(WITHOUT_CHECKPOINTS)
    job = cluster.submit(program, "-p", "1")
    cluster.wait_for_state(job, "RUNNING")
    cluster.penstock("taskmanager", "start")
    cluster.wait_for(
        lambda: (
            cluster.job(job)["state"] == "RUNNING"
            and {vertex["parallelism"] for vertex in cluster.job(job)["vertices"]} == {2}
        )
    )
    assert f"({job}) goes on at parallelism 2 from the beginning" in cluster.all_logs()
    told = cluster.client.get(f"/jobs/{job}/rescales/config")
    assert told["maximumDelayForTriggeringRescaleInMillis"] == 100
    assert told["rescaleOnFailedCheckpointCount"] == 2
