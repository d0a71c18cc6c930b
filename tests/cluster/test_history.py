"""Jobs that have ended are shown when their cluster is gone."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import OptionError
from penstock.web.history.server import History, HistorySettings
from tests.cluster.conftest import Cluster
from tests.cluster.test_earlier_attempts import FAILS_ONCE
from tests.services.kafka_broker import free_ports


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


def paths_of(cluster: Cluster, job: str) -> Iterator[str]:
    """What a client finds of a job by what it was told before, but for metrics and logs."""
    yield f"/jobs/{job}"
    of_job = (
        "status",
        "config",
        "plan",
        "exceptions",
        "accumulators",
        "execution-result",
        "resource-requirements",
    )
    for part in (*of_job, "checkpoints", "checkpoints/config", "jobmanager/config"):
        yield f"/jobs/{job}/{part}"
    vertices = [vertex["id"] for vertex in cluster.job(job)["vertices"]]
    for checkpoint in cluster.client.get(f"/jobs/{job}/checkpoints")["history"]:
        details = f"/jobs/{job}/checkpoints/details/{checkpoint['id']}"
        yield details
        yield from (f"{details}/subtasks/{vertex}" for vertex in vertices)
    rescales = f"/jobs/{job}/rescales"
    yield from (f"{rescales}/{part}" for part in ("overview", "history", "summary", "config"))
    yield from (
        f"{rescales}/details/{each['rescaleUuid']}" for each in cluster.client.get(f"{rescales}/history")
    )
    for vertex in vertices:
        path = f"/jobs/{job}/vertices/{vertex}"
        parts = (
            "accumulators",
            "backpressure",
            "subtasktimes",
            "taskmanagers",
            "watermarks",
            "subtasks/accumulators",
        )
        yield from (path, *(f"{path}/{part}" for part in parts))
        for subtask in cluster.client.get(path)["subtasks"]:
            yield f"{path}/subtasks/{subtask['subtask']}"
            for attempt in range(subtask["attempt"] + 1):
                one = f"{path}/subtasks/{subtask['subtask']}/attempts/{attempt}"
                yield from (one, f"{one}/accumulators")


@pytest.mark.slow
def test_the_history_server_tells_of_a_job_what_its_jobmanager_told(cluster: Cluster, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    archives = ["-D", f"jobmanager.archive.fs.dir={tmp_path / 'archives'}"]
    cluster.penstock("start-cluster", "-n", "1", "-s", "2", *archives)
    (tmp_path / "fails_once.py").write_text(FAILS_ONCE)
    job = cluster.submit(tmp_path / "fails_once.py", "-p", "2", "--", str(tmp_path / "failed"))
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/exceptions")["exceptionHistory"]["entries"])
    cluster.wait_for_state(job, "RUNNING")
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]["completed"])
    cluster.penstock("rescale", job, "-p", "1")
    cluster.penstock("cancel", job)
    cluster.wait_for((tmp_path / "archives" / job).is_file)
    told = {path: cluster.client.get(path) for path in paths_of(cluster, job)}
    attempts = [path for path in told if "/attempts/" in path and "/subtasks/0/" in path]
    assert len(attempts) == 2 * 2 * 3, "each of two vertices has failed, and was rescaled"
    cluster.penstock("stop-cluster")
    address = ["-D", f"historyserver.web.port={port}", *archives]
    cluster.penstock("history-server", "start", *address)
    try:
        cluster.rest_port = port
        cluster.wait_for(lambda: cluster.client.get("/jobs/overview")["jobs"])
        for path, before in told.items():
            assert without_now(cluster.client.get(path)) == without_now(before), path
        assert cluster.client.get("/overview")["jobs-cancelled"] == 1
        assert ask(port, "/")[0] == 200
        assert ask(port, "/jobs/nonsense") == (404, True)
        assert "A history server runs already" in cluster.penstock(
            "history-server", "start", *address, check=False
        )
    finally:
        cluster.penstock("history-server", "stop")


def without_now(told: Any) -> Any:
    """Without the moments at which things were asked."""
    asked = {"now": 0, "end-timestamp": 0}
    return told if isinstance(told, list) else {**told, **{key: asked[key] for key in asked if key in told}}


def ask(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, b"errors" in content
