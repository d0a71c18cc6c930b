"""What goes wrong around a cluster of daemons; none of it loses a completed checkpoint or leaves a process behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import ROOT, Cluster
from tests.cluster.test_fencing import COUNT, assert_comes_to_its_end_exactly_once, complete_lines
from tests.missing import leave_out_for_want_of
from tests.services import network_namespace
from tests.services.kafka_broker import free_ports

COUNTING = Path(__file__).with_name("counting.py")
TO_FILES = Path(__file__).with_name("to_files.py")

_PIPE = """
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def pump(source, target):
    while chunk := source.recv(65536):
        target.sendall(chunk)
    target.close()
while True:
    caller, _ = listener.accept()
    try:
        called = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    except OSError:
        caller.close()
        continue
    for ends in ((caller, called), (called, caller)):
        threading.Thread(target=pump, args=ends, daemon=True).start()
"""


def test_stale_pid_files_are_no_processes_of_the_cluster(cluster: Cluster) -> None:
    run = cluster.home / "run"
    run.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for role in ("jobmanager", "taskmanager"):
        (run / f"penstock-{role}.pid").write_text(f"{ended.pid}\n{os.getpid()}\nnonsense\n")
    cluster.penstock("start-cluster", "-n", "1")
    assert os.getpid() not in cluster.pids("jobmanager")
    said = cluster.penstock("stop-cluster")  # had it ended what the files named, this test would be gone
    assert "Stopped 1 TaskManager." in said and "Stopped 1 JobManager." in said


@pytest.mark.slow
def test_a_job_that_waits_too_long_for_slots_says_what_is_missing(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-n", "1", "-D", "slot.request.timeout=1 s")
    job = cluster.submit(COUNTING, "-p", "2", "-Drestart-strategy.type=none", "--", "10", "10")
    cluster.wait_for_state(job, "FAILED")
    failure = cluster.client.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"][0]["stacktrace"]
    assert (
        "it needs 2 slots, the cluster has 1, 1 of them free, and 1 are missing, and no more came in 1 s"
        in failure
    )
    assert "penstock taskmanager start" in failure


@pytest.mark.slow
def test_a_module_that_cannot_be_imported_on_the_cluster_is_named(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "only_here.py").write_text(
        "import os\n"
        "if 'ONLY_HERE' not in os.environ:\n"
        "    raise ImportError('only_here is for the client')\n"
        "def double(number):\n"
        "    return 2 * number\n"
    )
    (tmp_path / "program.py").write_text(
        "import os\n"
        "os.environ['ONLY_HERE'] = '1'\n"
        "from only_here import double\n"
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([1]).map(double).print()\n"
        "env.execute()\n"
    )
    cluster.penstock("start-cluster", "-n", "1")
    said = cluster.penstock("run", "-m", cluster.address, str(tmp_path / "program.py"), check=False)
    assert "only_here is for the client" in said
    assert "-pyfs" in said
    assert cluster.client.get("/jobs")["jobs"] == []


@pytest.mark.slow
def test_output_that_cannot_be_written_is_logged_and_the_job_goes_on(cluster: Cluster) -> None:
    if not Path("/dev/full").exists():
        leave_out_for_want_of("/dev/full", "Linux has it")
    cluster.penstock("start-cluster", "-n", "0")
    environment = {**os.environ, "PENSTOCK_HOME": str(cluster.home), "PYTHONPATH": str(ROOT)}
    environment["PENSTOCK_LOG_PREFIX"] = str(cluster.home / "log" / "full-taskmanager")
    with open("/dev/full", "wb") as full:
        taskmanager = subprocess.Popen(
            [sys.executable, "-m", "penstock", "taskmanager", "start-foreground"],
            env=environment,
            stdout=full,
        )
    try:
        job = cluster.submit(COUNTING, "--", "300", "1000")
        cluster.wait_for_state(job, "FINISHED")
        cluster.wait_for(lambda: "what workers print cannot be written any more" in cluster.all_logs())
    finally:
        taskmanager.terminate()
        taskmanager.wait()


@pytest.fixture
def pipe(cluster: Cluster) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A way to the JobManager that can be cut: stopped, it takes bytes and gives none, as a network that is down."""
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", _PIPE, str(port), str(cluster.rpc_port)])
    try:
        cluster.wait_for_files(lambda: _answers(port))
        yield port, process
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_a_taskmanager_that_is_cut_off_ends_its_workers_and_the_job_goes_on_elsewhere(
    cluster: Cluster, tmp_path: Path, pipe: tuple[int, subprocess.Popen[bytes]]
) -> None:
    port, process = pipe
    cluster.penstock("jobmanager", "start")
    cluster.wait_for(lambda: cluster.client.get("/overview"))
    cluster.penstock("taskmanager", "start", "-D", f"jobmanager.rpc.port={port}")
    cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 1)
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(TO_FILES, checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    os.kill(process.pid, signal.SIGSTOP)
    cluster.penstock("taskmanager", "start")
    cluster.wait_for(lambda: "did not answer for 3 s" in cluster.all_logs())
    cluster.wait_for_state(job, "RUNNING")
    before = len(complete_lines(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    os.kill(process.pid, signal.SIGCONT)  # the one that was cut off calls again, and is used again
    cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 2)
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_taskmanagers_that_do_not_answer_are_given_up_and_nothing_comes_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(TO_FILES, checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    stopped = cluster.pids("taskmanager")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    cluster.wait_for_state(job, "RESTARTING")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    cluster.wait_for_state(job, "RUNNING")
    before = len(complete_lines(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_taskmanager_killed_in_the_middle_of_a_job_is_replaced_and_nothing_comes_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.penstock("start-cluster", "-n", "2")
    directory = tmp_path / "out"
    checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
    job = cluster.submit(TO_FILES, "-p", "2", checkpoints, "--", str(COUNT), "150", str(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
    managers = {each["pid"]: each["id"] for each in cluster.client.get("/taskmanagers")["taskmanagers"]}
    killed = cluster.pids("taskmanager")[0]
    os.kill(killed, signal.SIGKILL)
    cluster.wait_for_state(job, "RESTARTING")
    cluster.penstock("taskmanager", "start")
    cluster.wait_for_state(job, "RUNNING")
    (failure, *_) = cluster.client.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"]
    assert failure["taskManagerId"] == managers[killed], "not the one that is there now"
    before = len(complete_lines(directory))
    cluster.wait_for(lambda: len(complete_lines(directory)) > before)
    assert_comes_to_its_end_exactly_once(cluster, job, directory)


@pytest.mark.slow
def test_a_taskmanager_whose_network_is_cut_is_given_up_and_used_again_when_it_is_there(
    cluster: Cluster, tmp_path: Path
) -> None:
    why_not = network_namespace.why_not()
    if why_not is not None:
        leave_out_for_want_of("a network namespace", f"run as root, with iproute2: {why_not}")
    with network_namespace.far_side() as far:
        near = (f"jobmanager.rpc.address={far.here}", f"taskmanager.host={far.here}")
        options = [word for option in near for word in ("-D", option)]
        cluster.penstock("start-cluster", "-n", "0", *options)
        log = cluster.home / "log" / "far-taskmanager"
        environment = {**os.environ, "PENSTOCK_HOME": str(cluster.home), "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-m", "penstock", "taskmanager", "start-foreground", *options]
        with open(f"{log}.out", "wb") as out:
            taskmanager = subprocess.Popen(
                [*far.inside, *words, "-D", f"taskmanager.host={far.there}"],
                env={**environment, "PENSTOCK_LOG_PREFIX": str(log)},
                stdout=out,
                stderr=out,
            )
        try:
            cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 1)
            directory = tmp_path / "out"
            checkpoints = f"-Dexecution.checkpointing.dir={tmp_path / 'checkpoints'}"
            job = cluster.submit(TO_FILES, checkpoints, "--", str(COUNT), "150", str(directory))
            cluster.wait_for(lambda: len(complete_lines(directory)) > 20)
            before = cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]["completed"]
            far.cut()
            cluster.penstock("taskmanager", "start", *options)
            cluster.wait_for(lambda: "its TaskManager did not answer for 3 s" in cluster.all_logs())
            cluster.wait_for(
                lambda: "the JobManager is gone: it did not answer for 3 s" in cluster.all_logs()
            )
            cluster.wait_for_state(job, "RUNNING")
            cluster.wait_for(
                lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]["completed"] > before + 2
            )
            restored = cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["restored"]
            assert restored["id"] >= before, "no completed checkpoint is lost"
            far.mend()
            cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 2)
            assert_comes_to_its_end_exactly_once(cluster, job, directory)
        finally:
            taskmanager.terminate()
            taskmanager.wait()
