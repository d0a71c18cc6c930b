"""Two "machines": two homes that share nothing but the secret, on two addresses of the loopback interface."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.deploy.cluster.leadership import Epochs
from penstock.deploy.remote.client import ClusterClient
from penstock.errors import OutsideError
from tests.cluster.conftest import Cluster
from tests.cluster.test_fencing import assert_exactly_once, complete_lines
from tests.services.certificates import make_certificate

PROGRAM = Path(__file__).with_name("to_files.py")


@pytest.fixture
def second_machine(cluster: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """Knows where the JobManager is, and is found at 127.0.0.2."""
    made = Cluster(tmp_path / "second", cluster.rest_port, cluster.rpc_port)
    append(made, "taskmanager.host: 127.0.0.2\n")
    yield made
    made.penstock("stop-cluster", check=False)


def append(machine: Cluster, options: str) -> None:
    path = machine.home / "conf" / "config.yaml"
    path.write_text(path.read_text() + options)


def tls_options(part: str, directory: Path, *, is_of_addresses: bool = True) -> str:
    made = make_certificate(directory, part, is_of_addresses=is_of_addresses)
    stores = {"enabled": "true", "keystore": made.keystore, "truststore": made.truststore}
    return "".join(f"security.ssl.{part}.{name}: {value}\n" for name, value in stores.items())


@pytest.mark.slow
def test_a_job_runs_on_two_machines_with_tls_between_them(
    cluster: Cluster, second_machine: Cluster, tmp_path: Path
) -> None:
    options = tls_options("internal", tmp_path)
    append(cluster, options)
    append(second_machine, options)
    cluster.penstock("start-cluster", "-n", "1")
    (second_machine.home / "run").mkdir()
    shutil.copy(cluster.home / "run" / "cluster.secret", second_machine.home / "run")
    second_machine.penstock("taskmanager", "start")
    cluster.wait_for(lambda: cluster.client.get("/overview")["taskmanagers"] == 2)
    hosts = {entry["id"].partition("-")[0] for entry in cluster.client.get("/taskmanagers")["taskmanagers"]}
    assert hosts == {"127.0.0.1", "127.0.0.2"}
    directory = tmp_path / "out"
    job = cluster.submit(PROGRAM, "-p", "2", "--", "2000", "2000", str(directory))
    cluster.wait_for_state(job, "FINISHED")
    assert_exactly_once(complete_lines(directory), 2000)
    assert list((second_machine.home / "log").glob("*.out"))


@pytest.mark.slow
def test_a_taskmanager_without_the_certificate_does_not_join(cluster: Cluster, tmp_path: Path) -> None:
    append(cluster, tls_options("internal", tmp_path))
    cluster.penstock("start-cluster", "-n", "0")
    cluster.penstock("taskmanager", "start", "-D", "security.ssl.internal.enabled=false")
    cluster.wait_for(lambda: "refused" in cluster.all_logs())
    assert cluster.client.get("/overview")["taskmanagers"] == 0


@pytest.mark.slow
def test_the_rest_api_answers_to_https_and_to_whom_it_trusts(cluster: Cluster, tmp_path: Path) -> None:
    options = tls_options("rest", tmp_path) + "security.ssl.rest.authentication-enabled: true\n"
    append(cluster, options)
    cluster.penstock("start-cluster", "-n", "1")  # it asks the API itself whether all are there
    settings = {"rest.address": "127.0.0.1", "rest.port": str(cluster.rest_port)}
    settings |= dict(line.split(": ") for line in options.splitlines())
    assert ClusterClient.of(settings).get("/overview")["taskmanagers"] == 1
    with pytest.raises(OutsideError, match="no JobManager answers"):
        cluster.client.get("/overview")
    settings["security.ssl.rest.authentication-enabled"] = "false"
    with pytest.raises(OutsideError, match="no JobManager answers"):
        ClusterClient.of(settings).get("/overview")


@pytest.mark.slow
def test_an_api_that_listens_everywhere_is_found_by_its_name(cluster: Cluster, tmp_path: Path) -> None:
    storage = tmp_path / "leading"
    append(
        cluster,
        tls_options("rest", tmp_path, is_of_addresses=False)
        + "rest.bind-address: 0.0.0.0\nrest.token: secret\n"
        + f"high-availability.storageDir: {storage}\njobmanager.archive.fs.dir: {tmp_path / 'archive'}\n",
    )
    cluster.penstock("start-cluster", "-n", "1")
    leader = Epochs(f"{storage}/default").leader()
    assert leader is not None
    assert (leader.rest_host, leader.rest_port) == ("localhost", cluster.rest_port)
    program = tmp_path / "program.py"
    program.write_text(
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([1]).print()\n"
        "env.execute('found')\n"
    )
    options = ("--conf-dir", str(cluster.home / "conf"), "-Dexecution.target=remote")
    said = cluster.penstock("run", *options, str(program))
    job = said.split("JobID ")[1].split()[0]
    cluster.wait_for_files((tmp_path / "archive" / job).exists)
    assert f"{job} : found (FINISHED)" in cluster.penstock("list", "-a")


def test_where_the_jobmanager_is_elsewhere_its_secret_has_to_be_brought(cluster: Cluster) -> None:
    said = cluster.penstock(
        "taskmanager", "start-foreground", "-D", "jobmanager.rpc.address=192.0.2.1", check=False
    )
    assert "copy run/cluster.secret of its home to" in said


def test_an_address_that_only_this_machine_reaches_needs_no_token(cluster: Cluster) -> None:
    cluster.penstock(
        "start-cluster", "-n", "0", "-D", "rest.bind-address=127.0.0.2", "-D", "rest.address=127.0.0.2"
    )
