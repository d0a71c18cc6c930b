"""What is told of attempts of subtasks that are over, and of how a job came to its parallelism."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.dataflow.recovery import PastAttempt
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob, Past
from penstock.deploy.cluster.submission import Submission
from penstock.deploy.local.executor import LocalJob
from penstock.deploy.traced import spans
from penstock.errors import JobCancelled, PenstockError
from penstock.ids import JobID, SubtaskId, VertexId
from penstock.runtime.job.attempts import Attempts, Findings
from penstock.runtime.job.ended import EndedDriver
from tests.cluster.conftest import Cluster
from tests.runtime.test_driver import graph_of

COUNTING = Path(__file__).with_name("counting.py")
FAILS_ONCE = """
import os, sys
from penstock.common import IntCounter, WatermarkStrategy
from penstock.datastream import MapFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import DataGeneratorSource, RateLimiterStrategy

class Failing(MapFunction):
    def open(self, context):
        self.seen = IntCounter()
        context.add_accumulator("seen", self.seen)

    def map(self, number):
        self.seen.add(1)
        if self.seen.get_local_value() > 120 and not os.path.exists(sys.argv[1]):
            open(sys.argv[1], "w").close()
            raise RuntimeError("only once")
        return number

env = StreamExecutionEnvironment.get_execution_environment()
env.enable_checkpointing(100)
source = DataGeneratorSource(lambda index: index, 1_000_000, RateLimiterStrategy.per_second(100))
numbers = env.from_source(source, WatermarkStrategy.no_watermarks(), "numbers")
numbers.rebalance().map(Failing()).name("failing").print()
env.execute("fails once")
"""

ONLY = SubtaskId(VertexId(0), 0)


def job_of(attempts: Attempts) -> DispatchedJob:
    """A job of one subtask whose driver has stopped after these attempts."""
    job = DispatchedJob(Submission("job", "test", b""), "test", graph_of())
    stopped = EndedDriver.that_has_not_run(JobID.random(), JobStatus.SUSPENDED, JobCancelled("stopped"))
    job.job = LocalJob(replace(stopped, attempts=attempts))
    return job


def test_an_attempt_that_has_failed_is_told_once_where_the_job_is_rescaled_as_it_starts_again() -> None:
    attempts = Attempts([ONLY], 0)
    attempts.run(None, 0, 100)
    attempts.stop([ONLY], Findings(frozenset([ONLY]), {}, lambda _: "tm-1", lambda _: {}, {}), 200)
    job = job_of(attempts)
    (past,) = job.keep_past(job.graph).subtasks[ONLY]
    assert (past.number, past.state, past.ended_ms, past.place) == (0, "FAILED", 200, "tm-1")


def test_the_way_of_a_job_to_another_parallelism_is_a_span_from_where_it_was_stopped() -> None:
    attempts = Attempts([ONLY], 1)
    attempts.run(None, 1, 6_000)
    job = job_of(attempts)
    job.times[JobStatus.CREATED] = 50
    job.past = Past(subtasks={ONLY: (PastAttempt(0, "CANCELED", 100, 5_000),)})
    told = {
        span.attributes["attempt"]: (span.start_ms, span.end_ms) for span in spans([job], "here").values()
    }
    assert told == {0: (50, 100), 1: (5_000, 6_000)}


@pytest.mark.slow
def test_an_attempt_that_failed_is_told_of_beside_the_one_that_runs(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster", "-s", "2")
    program = tmp_path / "fails_once.py"
    program.write_text(FAILS_ONCE)
    job = cluster.submit(program, "-p", "2", "--", str(tmp_path / "failed"))
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"])
    cluster.wait_for_state(job, "RUNNING")
    failing = cluster.job(job)["vertices"][1]["id"]
    subtasks = f"/jobs/{job}/vertices/{failing}/subtasks"
    (manager,) = cluster.client.get("/taskmanagers")["taskmanagers"]
    ended = [cluster.client.get(f"{subtasks}/{index}/attempts/0") for index in (0, 1)]
    assert {each["status"] for each in ended} == {"FAILED", "CANCELED"}
    for index, each in enumerate(ended):
        assert (each["subtask"], each["attempt"], each["taskmanager-id"]) == (index, 0, manager["id"])
        assert 0 < each["start-time"] <= each["end-time"]
        assert each["duration"] == each["end-time"] - each["start-time"]
        assert each["metrics"]["read-records"] > 0 and each["metrics"]["read-records-complete"]
        told = cluster.client.get(f"{subtasks}/{index}/attempts/0/accumulators")
        assert (told["subtask"], told["attempt"]) == (index, 0)
        assert told["id"] == f"{job}_{failing}_{index}_0"
        assert [(one["name"], int(one["value"]) > 0) for one in told["user-accumulators"]] == [("seen", True)]
    running = cluster.client.get(f"{subtasks}/0/attempts/1")
    assert (running["status"], running["attempt"], running["end-time"]) == ("RUNNING", 1, -1)
    assert running["start-time"] >= ended[0]["end-time"]
    assert cluster.client.get(f"{subtasks}/0")["attempt"] == 1
    with pytest.raises(PenstockError, match="has no attempt 2; known are 0, 1"):
        cluster.client.get(f"{subtasks}/0/attempts/2")


@pytest.mark.slow
def test_how_a_job_came_to_its_parallelism_is_told(cluster: Cluster, tmp_path: Path) -> None:
    sizes = ("-D", "web.adaptive-scheduler.rescale-history.size=2")
    cluster.penstock("start-cluster", "-s", "2", *sizes)
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(COUNTING, "-p", "1", checkpoints, "--", "1000000", "200")
    cluster.wait_for_state(job, "RUNNING")
    rescales = f"/jobs/{job}/rescales"

    def overview() -> Any:
        return cluster.client.get(f"{rescales}/overview")

    assert overview()["rescalesCounts"] == {"ignored": 0, "inProgress": 0, "completed": 1, "failed": 0}
    first = overview()["latest"]["completed"]
    assert (first["triggerCause"], first["terminatedReason"]) == ("INITIAL_SCHEDULE", "SUCCEEDED")
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["completed"])
    cluster.penstock("rescale", "-m", cluster.address, "-p", "2", job)
    assert overview()["rescalesCounts"]["completed"] == 2
    last = overview()["latest"]["completed"]
    assert (last["triggerCause"], last["terminalState"], last["rescaleAttemptId"]) == (
        "UPDATE_REQUIREMENT", "COMPLETED", 2,
    )  # fmt: skip
    detail = cluster.client.get(f"{rescales}/details/{last['rescaleUuid']}")
    for vertex in cluster.job(job)["vertices"]:
        told = detail["vertices"][vertex["id"]]
        assert told["jobVertexName"] == vertex["name"]
        assert (
            told["preRescaleParallelism"],
            told["desiredParallelism"],
            told["postRescaleParallelism"],
        ) == (1, 2, 2)
    assert detail["slots"]["default"]["preRescaleSlots"] == 1
    assert detail["slots"]["default"]["postRescaleSlots"] == 2
    assert [span["state"] for span in detail["schedulerStates"]] == [
        "Restarting",
        "WaitingForResources",
        "Executing",
    ]
    path = f"/jobs/{job}/resource-requirements"
    wanted = {each: {"parallelism": {"lowerBound": 1, "upperBound": 8}} for each in cluster.client.get(path)}
    cluster.client.ask("PUT", path, wanted)
    ignored = overview()["latest"]["ignored"]
    assert ignored["terminatedReason"] == "NO_RESOURCES_OR_PARALLELISMS_CHANGE"
    kept = cluster.client.get(f"{rescales}/history")
    assert [each["rescaleAttemptId"] for each in kept] == [3, 2]
    summary = cluster.client.get(f"{rescales}/summary")
    assert summary["completedRescalesDurationStatsInMillis"]["max"] > 0
    assert cluster.client.get(f"{rescales}/config")["rescaleHistoryMax"] == 2
    with pytest.raises(PenstockError, match="no rescale nonsense is kept"):
        cluster.client.get(f"{rescales}/details/nonsense")
