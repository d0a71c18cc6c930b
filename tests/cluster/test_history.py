"""Jobs that have ended are shown when their cluster is gone."""

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import OptionError
from penstock.web.history.server import History, HistorySettings
from tests.cluster.conftest import Cluster
from tests.services.kafka_broker import free_ports

PROGRAM = Path(__file__).with_name("counting.py")


def write_archive(directory: Path, number: int, start: int) -> str:
    job_id = f"{number:032x}"
    line = {"jid": job_id, "name": f"job {number}", "state": "FINISHED", "start-time": start}
    entries = [
        {"path": "/jobs/overview", "json": json.dumps({"jobs": [line]})},
        {"path": f"/jobs/{job_id}", "json": json.dumps(line)},
    ]
    (directory / job_id).write_text(json.dumps({"archive": entries}))
    return job_id


def test_archives_that_come_go_or_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    history = History(HistorySettings((str(tmp_path), str(tmp_path / "not there"))))
    first = write_archive(tmp_path, 1, 10)
    (tmp_path / f"{2:032x}").write_text("{")
    (tmp_path / "notes.txt").write_text("not an archive")
    for _ in range(2):
        history.refresh()
    assert [line["name"] for line in history.overview()] == ["job 1"]
    assert json.loads(history.find(f"/jobs/{first}") or "")["name"] == "job 1"
    assert caplog.text.count("cannot be read") == 1
    write_archive(tmp_path, 3, 20)
    history.refresh()
    assert [line["name"] for line in history.overview()] == ["job 3", "job 1"]
    (tmp_path / first).unlink()
    history.refresh()
    assert history.find(f"/jobs/{first}") is None


def test_of_more_jobs_than_are_retained_the_oldest_archives_are_deleted(tmp_path: Path) -> None:
    for number in range(5):
        write_archive(tmp_path, number, number)
    history = History(HistorySettings((str(tmp_path),), retained_jobs=2))
    history.refresh()
    assert [line["name"] for line in history.overview()] == ["job 4", "job 3"]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_history_server_that_cannot_serve_says_why(cluster: Cluster) -> None:
    said = cluster.penstock("history-server", "start-foreground", check=False)
    assert "historyserver.archive.fs.dir names no directory" in said
    assert said == cluster.penstock("historyserver", "start-foreground", check=False)
    words = ["history-server", "start-foreground", "-D", "historyserver.archive.fs.dir=/tmp"]
    said = cluster.penstock(*words, "-D", "historyserver.web.address=0.0.0.0", check=False)
    assert "set rest.token" in said
    assert OptionError.__name__ not in said


@pytest.mark.slow
def test_the_history_server_tells_of_a_job_what_its_jobmanager_told(cluster: Cluster, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    archives = ["-D", f"jobmanager.archive.fs.dir={tmp_path / 'archives'}"]
    cluster.penstock("start-cluster", "-n", "1", *archives)
    job = cluster.submit(PROGRAM, "--", "30", "1000")
    cluster.wait_for_state(job, "FINISHED")
    cluster.wait_for((tmp_path / "archives" / job).is_file)
    paths = [
        f"/jobs/{job}/{part}" for part in ("config", "plan", "exceptions", "checkpoints", "accumulators")
    ]
    vertex = cluster.job(job)["vertices"][0]["id"]
    told = {path: cluster.client.get(path) for path in [*paths, f"/jobs/{job}/vertices/{vertex}"]}
    cluster.penstock("stop-cluster")
    address = ["-D", f"historyserver.web.port={port}", *archives]
    cluster.penstock("history-server", "start", *address)
    try:
        cluster.rest_port = port
        cluster.wait_for(lambda: cluster.client.get("/jobs/overview")["jobs"])
        for path, before in told.items():
            assert {**cluster.client.get(path), "now": 0} == {**before, "now": 0}
        assert cluster.client.get("/overview")["jobs-finished"] == 1
        assert ask(port, "/")[0] == 200
        assert ask(port, "/jobs/nonsense") == (404, True)
        assert "A history server runs already" in cluster.penstock(
            "history-server", "start", *address, check=False
        )
    finally:
        cluster.penstock("history-server", "stop")


def ask(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, b"errors" in content
