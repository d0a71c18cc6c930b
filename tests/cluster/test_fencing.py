"""A JobManager that is not the newest does nothing that lasts; a newer one takes its jobs up."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from penstock.checkpoint.manifest import Manifest, read_manifest, write_manifest
from penstock.dataflow.job import JobGraph
from penstock.deploy.cluster.found_checkpoints import find_checkpoints
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.leadership import Epochs, FencedBackground, Leadership, NoLongerLeading
from penstock.errors import StateError
from penstock.runtime.job.start import KeptCheckpoints
from tests.cluster.conftest import ROOT, Cluster, is_alive
from tests.services.kafka_broker import free_ports

PROGRAM = Path(__file__).with_name("to_files.py")
COUNT = 30_000  # more than come at the rates of these tests while they last


def complete_lines(directory: Path) -> list[str]:
    """The lines of finished files; files that are not committed are hidden."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.name.startswith((".", "_"))]
    return [line for path in files for line in path.read_text().splitlines()]


def assert_exactly_once(lines: list[str], count: int) -> None:
    """Each number is there once, and each key was counted without a gap; in which order numbers came is open."""
    triples = [tuple(map(int, line.split(":"))) for line in lines]
    assert sorted(number for _, number, _ in triples) == list(range(count))
    for key in range(3):
        assert sorted(n for k, _, n in triples if k == key) == list(range(1, len(range(key, count, 3)) + 1))


def assert_comes_to_its_end_exactly_once(cluster: Cluster, job: str, directory: Path) -> None:
    """Stop a job that still runs, have another do the rest without a limit on its rate, and look at all that came out."""
    said = cluster.penstock("stop", "-m", cluster.address, "-p", str(directory.parent / "saved"), job)
    savepoint = said.split("Path: ")[1].split()[0]
    cluster.wait_for_state(job, "FINISHED")
    again = cluster.submit(PROGRAM, "-s", savepoint, "--", str(COUNT), "1000000", str(directory))
    cluster.wait_for_state(again, "FINISHED")
    assert_exactly_once(complete_lines(directory), COUNT)


def test_an_epoch_belongs_to_one_only_however_many_want_it(tmp_path: Path) -> None:
    epochs = Epochs(str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: epochs.take(), range(40)))
    assert sorted(taken) == list(range(1, 41))
    assert epochs.newest() == 40


def test_of_old_epochs_the_last_ones_are_kept(tmp_path: Path) -> None:
    epochs = Epochs(str(tmp_path))
    for _ in range(70):
        epochs.take()
    assert (epochs.newest(), len(list((tmp_path / "epochs").iterdir()))) == (70, 64)


def test_who_is_not_the_newest_may_neither_keep_nor_forget_jobs(tmp_path: Path) -> None:
    older, newer = (Leadership(Epochs(str(tmp_path))) for _ in range(2))
    older.take()
    store = JobStore(str(tmp_path / "jobs"), older.check)
    store.add("a", b"job")
    newer.take()
    with pytest.raises(NoLongerLeading, match="epoch 1, and one with epoch 2 leads"):
        store.add("b", b"job")
    with pytest.raises(NoLongerLeading):
        store.remove("a")
    assert [content for _, content in JobStore(str(tmp_path / "jobs"), newer.check).all()] == [b"job"]


def test_a_manifest_counts_only_if_nobody_newer_leads_once_it_is_written(tmp_path: Path) -> None:
    older, newer = (Leadership(Epochs(str(tmp_path / "epochs"))) for _ in range(2))
    older.take()
    background = FencedBackground(older.check, "checkpoint storage", lambda: None)
    told: list[BaseException | None] = []

    def write() -> None:
        write_manifest(str(tmp_path / "chk-1"), Manifest(1, 0, "job", "job"))
        newer.take()  # while the older one was paused

    background.submit(write, lambda _, error: told.append(error))
    background.submit(lambda: pytest.fail("nothing is begun"), lambda _, error: told.append(error))
    background.close(finish=True)
    background.deliver()
    assert [type(error) for error in told] == [NoLongerLeading, NoLongerLeading]
    # The newer one looks for manifests after it has taken its epoch, so it goes on from this one.
    assert read_manifest(str(tmp_path / "chk-1"))[0].checkpoint_id == 1


def test_a_manifest_is_never_replaced_by_that_of_another_coordinator(tmp_path: Path) -> None:
    write_manifest(str(tmp_path), Manifest(1, 0, "job", "newer"))
    with pytest.raises(StateError, match="already"):
        write_manifest(str(tmp_path), Manifest(1, 0, "job", "older"))
    assert read_manifest(str(tmp_path))[0].job_name == "newer"
    assert [path.name for path in tmp_path.iterdir()] == ["_metadata"]


def test_numbers_of_checkpoints_that_left_something_are_not_used_again(tmp_path: Path) -> None:
    graph = JobGraph("job", (), (), False, settings={"execution.checkpointing.dir": str(tmp_path)})
    for number in (3, 5):
        write_manifest(str(tmp_path / "a" / f"chk-{number}"), Manifest(number, 0, "a", "job"))
    (tmp_path / "a" / "chk-7").mkdir()
    found = find_checkpoints(graph, "a")
    assert found.latest is not None and found.latest.checkpoint_id == 5
    assert found.numbers_used == 7
    assert find_checkpoints(graph, "b") == KeptCheckpoints()


@pytest.mark.slow
def test_a_jobmanager_killed_in_the_middle_of_a_job_goes_on_exactly_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "2", checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 50)
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.penstock("jobmanager", "start")
    cluster.wait_for_state(job, "RUNNING")
    assert re.search(r"is taken up again from checkpoint \d+", cluster.all_logs())
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_jobmanager_killed_while_a_job_stops_behind_a_savepoint_goes_on_exactly_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    directory, saved = tmp_path / "out", tmp_path / "saved"
    options = (
        f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}",
        "-Dexecution.checkpointing.interval=1 h",
    )
    again = (str(COUNT), "1000000", str(directory))
    job = cluster.submit(PROGRAM, "-p", "2", *options, "--", str(COUNT), "500", str(directory))
    cluster.wait_for_state(job, "RUNNING")
    cluster.penstock("checkpoint", "-m", cluster.address, job)
    cluster.wait_for(lambda: len(complete_lines(directory)) > 50)
    (jobmanager,) = cluster.pids("jobmanager")
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(
            cluster.penstock, "stop", "-m", cluster.address, "-p", str(saved), job, check=False
        )
        while not list(saved.glob("*/_metadata")) and not stopping.done():
            pass  # it is to be killed before it has told anybody, if it can be
        os.kill(jobmanager, signal.SIGKILL)
        stopping.result()
    cluster.penstock("jobmanager", "start")
    known = cluster.wait_for(lambda: cluster.client.get("/jobs"))["jobs"]
    if known:  # it had not come to its end
        cluster.wait_for_state(job, "RUNNING")
        assert_comes_to_its_end_exactly_once(cluster, job, directory)
    else:
        (savepoint,) = saved.iterdir()
        ended = cluster.submit(PROGRAM, "-s", str(savepoint), "--", *again)
        cluster.wait_for_state(ended, "FINISHED")
        assert_exactly_once(complete_lines(directory), COUNT)


@pytest.fixture
def second_jobmanager(cluster: Cluster) -> Iterator[list[subprocess.Popen[bytes]]]:
    """JobManagers that a test starts beside the first one."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.terminate()
        process.wait()
    with suppress(OSError, IndexError):
        os.kill(cluster.pids("jobmanager")[0], signal.SIGCONT)


@pytest.mark.slow
def test_a_paused_jobmanager_that_wakes_up_beside_a_newer_one_completes_nothing(
    cluster: Cluster, tmp_path: Path, second_jobmanager: list[subprocess.Popen[bytes]]
) -> None:
    storage = f"-Dhigh-availability.storageDir={tmp_path / 'leading'}"
    cluster.penstock("start-cluster", "-n", "2", storage)
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(PROGRAM, "-p", "2", checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 50)
    (paused,) = cluster.pids("jobmanager")
    os.kill(paused, signal.SIGSTOP)

    cluster.rest_port, rpc_port = free_ports(2)
    ports = ["-D", f"rest.port={cluster.rest_port}", "-D", f"jobmanager.rpc.port={rpc_port}"]
    environment = {**os.environ, "PENSTOCK_HOME": str(cluster.home), "PYTHONPATH": str(ROOT)}
    environment["PENSTOCK_LOG_PREFIX"] = str(cluster.home / "log" / "second-jobmanager")
    second_jobmanager.append(
        subprocess.Popen(
            [sys.executable, "-m", "penstock", "jobmanager", "start-foreground", storage, *ports],
            env=environment,
        )
    )
    cluster.wait_for_state(job, "RUNNING")
    before = len(complete_lines(directory))
    os.kill(paused, signal.SIGCONT)
    cluster.wait_for(lambda: "leads the cluster now" in cluster.all_logs())
    cluster.wait_for(lambda: not is_alive(paused))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_program_that_waits_for_its_job_finds_the_jobmanager_that_leads_instead(
    cluster: Cluster, tmp_path: Path
) -> None:
    storage = f"-Dhigh-availability.storageDir={tmp_path / 'leading'}"
    cluster.penstock("start-cluster", "-n", "1", storage)
    directory = tmp_path / "out"
    options = [
        "-Dexecution.target=remote",
        storage,
        f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}",
    ]
    environment = {**os.environ, "PENSTOCK_HOME": str(cluster.home), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "run", *options, str(PROGRAM), "3000", "300", str(directory)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        cluster.wait_for_files(lambda: len(complete_lines(directory)) > 50)
        os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
        cluster.rest_port, rpc_port = free_ports(2)
        ports = ["-D", f"rest.port={cluster.rest_port}", "-D", f"jobmanager.rpc.port={rpc_port}"]
        cluster.penstock("jobmanager", "start", storage, *ports)
        said, _ = program.communicate()
    assert program.returncode == 0, said
    assert_exactly_once(complete_lines(directory), 3000)
