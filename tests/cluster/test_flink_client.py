"""The command line of Apache Flink 2.3 itself, against a cluster of penstock."""

from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster
from tests.missing import leave_out_for_want_of
from tests.services.flink_client import FlinkClient
from tests.services.maven_jars import NoJars

PROGRAM = Path(__file__).with_name("counting.py")


@pytest.fixture(scope="module")
def flink(tmp_path_factory: pytest.TempPathFactory) -> FlinkClient:
    try:
        return FlinkClient(tmp_path_factory.mktemp("flink"))
    except NoJars as error:
        leave_out_for_want_of("Flink's command line", str(error))


@pytest.mark.slow
@pytest.mark.service
def test_flinks_own_client_lists_saves_checkpoints_stops_cancels_and_disposes(
    running_cluster: Cluster, flink: FlinkClient, tmp_path: Path
) -> None:
    cluster, there = running_cluster, ("-m", running_cluster.address)
    job = cluster.submit(PROGRAM, "-p", "2", "--", "1000000", "100")
    cluster.wait_for_state(job, "RUNNING")
    code, said = flink("list", *there)
    assert code == 0 and f"{job} : counting (RUNNING)" in said, said

    code, said = flink("savepoint", *there, job, str(tmp_path / "savepoints"))
    assert code == 0 and f"Savepoint completed. Path: {tmp_path}" in said, said
    savepoint = said.split("Path: ")[1].split()[0]
    assert (Path(savepoint) / "_metadata").exists()

    code, said = flink("checkpoint", *there, job)
    assert code == 0 and f"for job {job} completed" in said, said

    code, said = flink("stop", *there, "-p", str(tmp_path / "savepoints"), job)
    assert code == 0 and "Savepoint completed. Path:" in said, said
    assert cluster.job(job)["state"] == "FINISHED"

    again = cluster.submit(PROGRAM, "-p", "2", "-s", savepoint, "--", "1000000", "100")
    cluster.wait_for_state(again, "RUNNING")
    code, said = flink("cancel", *there, again)
    assert code == 0 and f"Cancelled job {again}." in said, said
    cluster.wait_for_state(again, "CANCELED")
    code, said = flink("list", "-a", *there)
    assert f"{job} : counting (FINISHED)" in said and f"{again} : counting (CANCELED)" in said, said

    code, said = flink("savepoint", *there, "-d", savepoint)
    assert code == 0 and f"Savepoint '{savepoint}' disposed." in said, said
    assert not Path(savepoint).exists()

    code, said = flink("cancel", *there, "f" * 32)
    assert code == 1 and f"there is no job {'f' * 32}" in said, said
