"""Commands that talk to a running cluster: words for people, JSON for scripts, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.main import main
from penstock.dataflow.job import JobGraph
from penstock.deploy.remote.executor import RemoteJob
from penstock.ids import JobID
from tests.cluster.conftest import PATIENCE_S, ROOT, Cluster

PROGRAM = Path(__file__).with_name("counting.py")


@pytest.fixture(scope="module")
def job(running_cluster: Cluster) -> str:
    made = running_cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "100")
    running_cluster.wait_for_state(made, "RUNNING")
    running_cluster.wait_for(lambda: len(running_cluster.output()) > 20)
    return made


@dataclass
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(running_cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""
    monkeypatch.setenv("PENSTOCK_HOME", str(running_cluster.home))
    monkeypatch.delenv("PENSTOCK_CONF_DIR", raising=False)

    def command(*words: str) -> Ended:
        code = main(list(words))
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return command


def test_a_checkpoint_is_taken_on_command(run: Run, job: str, tmp_path: Path) -> None:
    said = run("checkpoint", job).out
    assert said.startswith(f"Triggering checkpoint for job {job}.\nWaiting for response...\nCheckpoint ")
    assert f" for job {job} completed.\n" in said
    made: Any = json.loads(run("checkpoint", "-full", "--json", job).out)
    assert made["job"] == job and made["checkpoint"] > int(said.split("Checkpoint ")[1].split()[0])
    made = json.loads(run("savepoint", "--json", job, str(tmp_path)).out)
    assert (Path(made["savepoint"]) / "_metadata").exists()
    disposed = json.loads(run("savepoint", "--json", "-d", made["savepoint"]).out)
    assert disposed == {"disposed": made["savepoint"]} and not Path(made["savepoint"]).exists()
    (line,) = json.loads(run("list", "--json").out)
    assert (line["jid"], line["state"]) == (job, "RUNNING")


def test_a_detached_savepoint_is_not_waited_for(
    run: Run, running_cluster: Cluster, job: str, tmp_path: Path
) -> None:
    said = run("savepoint", "-detached", "-type", "canonical", job, str(tmp_path)).out
    start, _, trigger = said.strip().rpartition(" ")
    assert start == (
        f"Triggering savepoint in detached mode for job {job}.\n"
        "Successfully trigger manual savepoint, triggerId:"
    )
    path = running_cluster.client.wait_for(f"/jobs/{job}/savepoints/{trigger}")
    assert (Path(path) / "_metadata").exists()
    ended = run("stop", "-type", "native", job)
    assert ended.code == 2 and "-type native is not in this version" in ended.err


def test_lists_have_the_jobs_that_are_asked_for(run: Run, job: str) -> None:
    ended = run("list")
    words = ended.out.splitlines()
    assert words[:2] == [
        "Waiting for response...",
        "------------------ Running/Restarting Jobs -------------------",
    ]
    assert re.fullmatch(rf"\d\d\.\d\d\.\d{{4}} \d\d:\d\d:\d\d : {job} : counting \(RUNNING\)", words[2])
    assert words[3:] == [
        "--------------------------------------------------------------",
        "No scheduled jobs.",
    ]
    assert run("list", "-s").out == "Waiting for response...\nNo scheduled jobs.\n"
    assert re.search(
        r"No scheduled jobs.\n(No terminated jobs.|-+ Terminated Jobs -+)\n", run("list", "-a").out
    )
    assert json.loads(run("list", "-s", "--json").out) == []
    for flags in ((), ("-r",)):
        assert [each["jid"] for each in json.loads(run("list", "--json", *flags).out)] == [job]
    assert job in [each["jid"] for each in json.loads(run("list", "--json", "-a").out)]


def test_logs_of_processes_and_of_a_job(run: Run, running_cluster: Cluster, job: str) -> None:
    assert f"({job}) is RUNNING" in run("logs").out
    assert "joined the JobManager" in run("logs", "taskmanager").out
    (manager,) = running_cluster.client.get("/taskmanagers")["taskmanagers"]
    assert "> 0:" in run("logs", "--out", "taskmanager", manager["id"]).out
    head, _, tail = run("logs", job).out.partition(f"==> {manager['id']} <==\n")
    assert head.startswith("==> jobmanager <==\n")
    assert all(job in line for line in head.splitlines()[1:])
    assert "> 0:" in tail


def test_what_is_not_there_is_said_with_an_exit_code(run: Run) -> None:
    for command in ("logs", "checkpoint", "cancel"):
        ended = run(command, "nonsense")
        assert (ended.code, ended.err) == (1, "there is no job nonsense; `penstock list -a` shows all\n")
    ended = run("logs", "taskmanager", "nobody")
    assert ended.code == 1 and "there is no TaskManager nobody; there are " in ended.err
    ended = run("logs", "jobmanager", "nobody")
    assert ended.code == 2 and "only `logs taskmanager`" in ended.err
    ended = run("list", "-m", "localhost:1")
    assert ended.code == 1 and "no JobManager answers at localhost:1" in ended.err


def test_logs_of_a_job_are_followed_to_its_end(run: Run, running_cluster: Cluster, job: str) -> None:
    python_path = str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")
    words = ["logs", "-f", "-m", running_cluster.address, job]
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path},
    ) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "==> jobmanager <==\n"
        assert json.loads(run("cancel", "--json", job).out) == {"job": job}
        said, _ = following.communicate(timeout=PATIENCE_S)
        assert following.returncode == 0
    assert f"({job}) is CANCELED" in said


def test_a_job_that_is_stopped_detached_ends_with_its_savepoint(
    run: Run, running_cluster: Cluster, tmp_path: Path
) -> None:
    made = running_cluster.submit(PROGRAM, "-p", "1", "--", "1000000", "100")
    running_cluster.wait_for_state(made, "RUNNING")
    said = run("stop", "-detached", "-p", str(tmp_path), made).out
    start, _, trigger = said.strip().rpartition(" ")
    assert start == (
        f'Suspending job "{made}" with a CANONICAL savepoint.\n'
        f"Triggering stop-with-savepoint in detached mode for job {made}.\n"
        "Successfully trigger stop-with-savepoint in detached mode, triggerId:"
    )
    path = running_cluster.client.wait_for(f"/jobs/{made}/savepoints/{trigger}")
    assert (Path(path) / "_metadata").exists()
    running_cluster.wait_for_state(made, "FINISHED")


def test_jobs_that_need_all_slots_run_one_after_the_other(running_cluster: Cluster) -> None:
    jobs = [running_cluster.submit(PROGRAM, "-p", "2", "--", "60", "1000") for _ in range(3)]
    for job_id in jobs:
        running_cluster.wait_for_state(job_id, "FINISHED")


def test_a_job_that_has_ended_otherwise_is_not_said_to_be_cancelled(
    run: Run, running_cluster: Cluster
) -> None:
    job = running_cluster.submit(PROGRAM, "--", "1", "1000")
    running_cluster.wait_for_state(job, "FINISHED")
    ended = run("cancel", job)
    assert (ended.code, ended.out) == (1, f"Cancelling job {job}.\n")
    assert "the job has already reached another terminal state (FINISHED)" in ended.err
    remote = RemoteJob(running_cluster.client, JobID(job), JobGraph("", (), (), False))
    remote.cancel()  # whoever has the job may ask for its end whenever he likes


def test_a_checkpoint_in_memory_is_not_said_to_be_one_to_start_from(
    run: Run, running_cluster: Cluster, tmp_path: Path
) -> None:
    for options, says in (
        ((), "in the JobManager's memory"),
        ((f"-Dexecution.checkpointing.dir={tmp_path}",), "You can resume"),
    ):
        job = running_cluster.submit(PROGRAM, *options, "--", "1000000", "100")
        running_cluster.wait_for_state(job, "RUNNING")
        assert says in run("checkpoint", job).out
        assert run("cancel", job).code == 0
        running_cluster.wait_for_state(job, "CANCELED")


@pytest.mark.slow
def test_logs_are_followed_over_the_death_of_a_jobmanager(cluster: Cluster, tmp_path: Path) -> None:
    cluster.penstock("start-cluster")
    job = cluster.submit(PROGRAM, f"-Dexecution.checkpointing.dir={tmp_path}", "--", "1000000", "100")
    cluster.wait_for_state(job, "RUNNING")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PENSTOCK_HOME": str(cluster.home)}
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "logs", "-f", "-m", cluster.address, job],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as following:
        assert following.stdout is not None and following.stderr is not None
        assert following.stdout.readline() == "==> jobmanager <==\n"
        os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
        assert "no JobManager answers" in following.stderr.readline()
        cluster.penstock("jobmanager", "start")
        cluster.wait_for_state(job, "RUNNING")
        cluster.penstock("cancel", job)
        said, wrong = following.communicate(timeout=PATIENCE_S)
        assert following.returncode == 0, wrong
    assert f"({job}) is taken up again" in said and f"({job}) is CANCELED" in said


@pytest.mark.slow
def test_an_attached_run_shows_a_line_of_progress_on_a_terminal(running_cluster: Cluster) -> None:
    here, terminal = os.openpty()
    python_path = str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")
    words = ["run", "-m", running_cluster.address, "-p", "2", str(PROGRAM), "100000", "100"]
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", *words],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path, "PENSTOCK_HOME": str(running_cluster.home)},
    ) as attached:
        assert attached.stdout is not None
        job_id = attached.stdout.readline().split("JobID ")[1].strip()
        os.close(terminal)
        shown = ""
        while not re.search(r"numbers: [1-9][\d,]* records, [\d,]+/s", shown):
            shown += os.read(here, 4096).decode()
        running_cluster.client.ask("PATCH", f"/jobs/{job_id}?mode=cancel")
        attached.communicate(timeout=PATIENCE_S)
    os.close(here)


BOUNDED = """
from penstock.contracts.accumulators import IntCounter
from penstock.datastream import MapFunction, StreamExecutionEnvironment

class Counting(MapFunction):
    def open(self, context):
        self.seen = IntCounter()
        context.add_accumulator("seen", self.seen)

    def map(self, value):
        self.seen.add(1)
        return value

env = StreamExecutionEnvironment.get_execution_environment()
env.from_collection([1, 2, 3]).map(Counting()).print()
env.execute("bounded")
"""


def test_an_attached_run_ends_with_what_is_left_of_its_job(running_cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "bounded.py"
    program.write_text(BOUNDED)
    said = running_cluster.penstock("run", "-m", running_cluster.address, str(program))
    job_id = said.split("JobID ")[1].split()[0]
    told = rf"Program execution finished\nJob with JobID {job_id} has finished.\nJob Runtime: \d+ ms\n"
    assert re.search(told + r"Accumulator Results: \n- seen \(.*\): 3\n", said), said
    assert said.count("Program execution finished") == 1
    ended = running_cluster.penstock("run", "-d", "-sae", str(program), check=False)
    assert "leave out -d" in ended or "-d is for clusters" in ended


def attached(cluster: Cluster, *options: str) -> tuple[subprocess.Popen[str], str]:
    """A command that waits for a job that runs."""
    python_path = str(ROOT) + os.pathsep + os.environ.get("PYTHONPATH", "")
    words = ["run", "-m", cluster.address, *options, str(PROGRAM), "1000000", "100"]
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path, "PENSTOCK_HOME": str(cluster.home)},
    )
    assert process.stdout is not None
    job_id = process.stdout.readline().split("JobID ")[1].strip()
    cluster.wait_for_state(job_id, "RUNNING")
    return process, job_id


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_ends_with_an_interrupted_command_where_that_is_asked_for(
    running_cluster: Cluster, number: signal.Signals
) -> None:
    process, job_id = attached(running_cluster, "-sae")
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert running_cluster.job(job_id)["state"] == "CANCELED"


@pytest.mark.slow
def test_a_job_goes_on_without_an_interrupted_command(running_cluster: Cluster) -> None:
    process, job_id = attached(running_cluster)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert f"Job {job_id} goes on: `penstock cancel {job_id}` ends it." in said
    assert running_cluster.job(job_id)["state"] == "RUNNING"
    running_cluster.client.ask("PATCH", f"/jobs/{job_id}?mode=cancel")
    running_cluster.wait_for_state(job_id, "CANCELED")


@pytest.mark.slow
def test_a_job_ends_with_a_command_that_dies_where_that_is_asked_for(running_cluster: Cluster) -> None:
    heartbeats = ("-Dclient.heartbeat.interval=100", "-Dclient.heartbeat.timeout=3000")
    process, job_id = attached(running_cluster, "-sae", *heartbeats)
    process.kill()
    process.communicate(timeout=PATIENCE_S)
    running_cluster.wait_for_state(job_id, "CANCELED")
