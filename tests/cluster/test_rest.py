"""The REST API of a running cluster: Flink's paths, their fields, and bad requests."""

import http.client
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.deploy.cluster.secret import SUBMISSION_HEADER, submission_proof
from penstock.errors import ProgramError
from tests.cluster.conftest import Cluster

PROGRAM = Path(__file__).with_name("counting.py")


@pytest.fixture(scope="module")
def job(running_cluster: Cluster) -> str:
    made = running_cluster.submit(PROGRAM, "-p", "2", "--", "100000", "100")
    running_cluster.wait_for_state(made, "RUNNING")
    running_cluster.wait_for(lambda: len(running_cluster.output()) > 20)
    return made


def ask(cluster: Cluster, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", cluster.rest_port, timeout=120)
    connection.request(method, path, body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/overview", {"taskmanagers", "slots-total", "slots-available", "jobs-running", "flink-version"}),
        ("/config", {"refresh-interval", "features"}),
        ("/jobs", {"jobs"}),
        ("/jobs/overview", {"jobs"}),
        ("/taskmanagers", {"taskmanagers"}),
        ("/jobs/:job", {"jid", "name", "state", "vertices", "plan", "timestamps", "status-counts"}),
        ("/jobs/:job/status", {"status"}),
        ("/jobs/:job/jobmanager/environment", {"jvm", "classpath"}),
        ("/jobs/:job/jobmanager/log-url", {"url"}),
        ("/jobs/:job/config", {"jid", "execution-config"}),
        ("/jobs/:job/plan", {"plan"}),
        ("/jobs/:job/accumulators", {"user-task-accumulators"}),
        ("/jobs/:job/exceptions", {"root-exception", "exceptionHistory"}),
        ("/jobs/:job/execution-result", {"status"}),
        ("/jobs/:job/checkpoints", {"counts", "latest", "history"}),
        ("/jobs/:job/checkpoints/config", {"mode", "interval", "timeout", "externalization"}),
        ("/jobs/:job/vertices/:vertex", {"id", "name", "parallelism", "subtasks"}),
        ("/jobs/:job/vertices/:vertex/backpressure", {"status", "backpressure-level", "subtasks"}),
    ],
)
def test_every_path_answers_with_its_fields_with_and_without_version(
    running_cluster: Cluster, job: str, path: str, fields: set[str]
) -> None:
    vertex = running_cluster.job(job)["vertices"][1]["id"]
    path = path.replace(":job", job).replace(":vertex", vertex)
    for prefix in ("", "/v1"):
        assert fields <= set(running_cluster.client.get(prefix + path))


def test_the_figures_of_a_running_job(running_cluster: Cluster, job: str) -> None:
    def counted() -> Any:
        source, counting = running_cluster.job(job)["vertices"]
        return counting["metrics"]["read-records"] > 0 and (source, counting)

    source, counting = running_cluster.wait_for(counted)
    assert source["metrics"]["write-records"] >= counting["metrics"]["read-records"]
    assert counting["parallelism"] == 2 and counting["status"] == "RUNNING"
    nodes = running_cluster.job(job)["plan"]["nodes"]
    assert nodes[1]["inputs"][0]["id"] == nodes[0]["id"]
    statistics = running_cluster.wait_for(
        lambda: running_cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["completed"]
    )
    assert statistics["status"] == "COMPLETED"
    names = [entry["id"] for entry in running_cluster.client.get(f"/jobs/{job}/metrics")]
    (value,) = running_cluster.client.get(f"/jobs/{job}/metrics?get={names[0]}")
    assert value["id"] == names[0]


def test_the_files_of_a_taskmanager_and_of_the_jobmanager(running_cluster: Cluster, job: str) -> None:
    (manager,) = running_cluster.client.get("/taskmanagers")["taskmanagers"]
    assert (manager["slotsNumber"], manager["freeSlots"]) == (2, 0)
    assert (manager["totalResource"]["cpuCores"], manager["freeResource"]["cpuCores"]) == (2, 0)
    assert manager["hardware"]["cpuCores"] == os.cpu_count()
    assert 0 < manager["hardware"]["freeMemory"] < manager["hardware"]["physicalMemory"]
    alone = running_cluster.client.get(f"/taskmanagers/{manager['id']}")
    assert 0 < alone["metrics"]["heapUsed"] < alone["metrics"]["heapMax"]
    assert all(collector["count"] >= 0 for collector in alone["metrics"]["garbageCollectors"])
    status, output = ask(running_cluster, "GET", f"/taskmanagers/{manager['id']}/stdout")
    assert status == 200 and b"> 0:" in output
    logs = running_cluster.client.get(f"/taskmanagers/{manager['id']}/logs")["logs"]
    assert any(entry["name"].endswith(".out") and entry["size"] > 0 for entry in logs)
    status, log = ask(running_cluster, "GET", "/jobmanager/log")
    assert status == 200 and b"is RUNNING" in log
    status, page = ask(running_cluster, "GET", "/")
    assert status == 200 and page.startswith(b"<!doctype html>")
    assert b"://" not in page.replace(b"http://www.w3.org", b""), "nothing comes from elsewhere"
    # What the page asks for is there, so that it cannot fall behind the API.
    for path in ("overview", "jobs/overview", "taskmanagers", "openapi.json"):
        assert f'"{path}"'.encode() in page and ask(running_cluster, "GET", f"/{path}")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/jobs/nonsense", None, 404, "no job nonsense"),
        ("GET", "/nonsense", None, 404, "nothing at GET /nonsense"),
        ("DELETE", "/jobs", None, 405, "nothing at DELETE"),
        ("POST", "/jobs", b"nonsense", 401, "only who knows the cluster's secret"),
        ("POST", "/jars/upload", b"nonsense", 401, "only who knows the cluster's secret"),
        ("PATCH", "/jobs/:job?mode=stop", None, 400, "mode is cancel"),
        ("POST", "/jobs/:job/savepoints", b"{", 400, "no JSON"),
        ("POST", "/jobs/:job/savepoints", b"[]", 400, "object of JSON"),
        ("POST", "/jobs/:job/savepoints", b'{"target-directory": 5}', 400, "target-directory is a text"),
        ("GET", "/jobs/:job/savepoints/nonsense", None, 404, "no operation"),
        ("GET", "/jobs/:job/vertices/nonsense", None, 404, "no vertex"),
        ("GET", "/taskmanagers/nonsense", None, 404, "no TaskManager"),
        ("GET", "/jobmanager/logs/..%2f..%2fconf%2fconfig.yaml", None, 404, ""),
        ("GET", "/jobmanager/logs/..", None, 404, ""),
        ("POST", "/savepoint-disposal", b"{}", 400, "savepoint-path"),
        ("POST", "/jobs/:job/savepoints", b'{"formatType": "NATIVE"}', 400, "NATIVE is not in this version"),
        ("POST", "/jobs/:job/stop", b'{"formatType": "NATIVE"}', 400, "NATIVE is not in this version"),
        ("POST", "/jobs/:job/stop", b'{"formatType": "native"}', 400, "formatType is CANONICAL"),
    ],
)
def test_bad_requests_are_answered_with_a_reason(
    running_cluster: Cluster, job: str, method: str, path: str, body: bytes | None, status: int, says: str
) -> None:
    found, content = ask(running_cluster, method, path.replace(":job", job), body)
    assert found == status
    assert says in content.decode()


def test_a_trigger_id_that_is_sent_again_takes_no_second_savepoint(
    running_cluster: Cluster, job: str, tmp_path: Path
) -> None:
    wish = {"target-directory": str(tmp_path), "formatType": "CANONICAL", "triggerId": "0f" * 16}
    for _ in range(2):
        answer = running_cluster.client.ask("POST", f"/jobs/{job}/savepoints", wish)
        assert answer == {"request-id": "0f" * 16}
        path = running_cluster.client.wait_for(f"/jobs/{job}/savepoints/{'0f' * 16}")
        assert [str(each) for each in tmp_path.iterdir()] == [path]
    assert ask(running_cluster, "GET", f"/jobs/{job}/checkpoints/{'0f' * 16}")[0] == 404


def test_what_options_forbid_and_bound(cluster: Cluster) -> None:
    options = {
        "web.submit.enable": "false",
        "web.cancel.enable": "false",
        "web.rescale.enable": "false",
        "web.refresh-interval": "7 s",
        "web.checkpoints.history": "2",
        "web.access-control-allow-origin": "http://dashboard",
        "rest.server.max-content-length": "1000000",
        "web.log.path": str(cluster.home / "other.log"),
        "taskmanager.log.path": str(cluster.home / "other.log"),
    }
    (cluster.home / "other.log").write_text("the log of another")
    cluster.penstock("start-cluster", "-s", "2", *(w for o in options.items() for w in ("-D", "=".join(o))))
    job = cluster.submit(PROGRAM, "-p", "2", "--", "100000", "100")
    told = cluster.client.get("/config")
    assert told["refresh-interval"] == 7000
    assert not any(told["features"][name] for name in ("web-submit", "web-cancel", "web-rescale"))
    proof = {
        SUBMISSION_HEADER: submission_proof(bytes.fromhex((cluster.home / "run/cluster.secret").read_text()))
    }
    for method, path, option in (
        ("POST", "/jars/upload", "web.submit.enable"),
        ("GET", "/jars", "web.submit.enable"),
        ("PATCH", f"/jobs/{job}?mode=cancel", "web.cancel.enable"),
        ("PATCH", f"/jobs/{job}/rescaling?parallelism=1", "web.rescale.enable"),
    ):
        with pytest.raises(ProgramError, match=f"{option} is false"):
            cluster.client.ask(method, path, extra_headers=proof)
    with pytest.raises(ProgramError, match="larger than 1000000 bytes"):
        cluster.client.ask("POST", "/savepoint-disposal", b" " * 1_000_001)
    cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["counts"]["completed"] > 3)
    assert len(cluster.client.get(f"/jobs/{job}/checkpoints")["history"]) == 2
    (manager,) = cluster.client.get("/taskmanagers")["taskmanagers"]
    for path in ("/jobmanager/log", f"/taskmanagers/{manager['id']}/log"):
        assert ask(cluster, "GET", path) == (200, b"the log of another")
    connection = http.client.HTTPConnection("127.0.0.1", cluster.rest_port, timeout=120)
    connection.request("GET", "/overview")
    assert connection.getresponse().headers["Access-Control-Allow-Origin"] == "http://dashboard"
    connection.close()


def test_a_savepoint_that_cannot_be_written_says_why(
    running_cluster: Cluster, job: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    answer = running_cluster.client.ask(
        "POST", f"/jobs/{job}/savepoints", {"target-directory": str(tmp_path / "file")}
    )
    with pytest.raises(ProgramError, match="file"):
        running_cluster.client.wait_for(f"/jobs/{job}/savepoints/{answer['request-id']}")


def test_a_disposal_deletes_nothing_but_savepoints(running_cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    answer = running_cluster.client.ask("POST", "/savepoint-disposal", {"savepoint-path": str(tmp_path)})
    with pytest.raises(ProgramError, match="no checkpoint or savepoint"):
        running_cluster.client.wait_for(f"/savepoint-disposal/{answer['request-id']}")
    assert (tmp_path / "precious").exists()


def test_a_program_that_fails_says_so_to_its_client(running_cluster: Cluster, tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "from penstock.datastream import StreamExecutionEnvironment\n"
        "env = StreamExecutionEnvironment.get_execution_environment()\n"
        "env.from_collection([0]).map(lambda value: 1 / value).print()\n"
        "env.execute('failing')\n"
    )
    # The running job has all slots; it gives way.
    for entry in running_cluster.client.get("/jobs")["jobs"]:
        running_cluster.client.ask("PATCH", f"/jobs/{entry['id']}?mode=cancel")
    said = running_cluster.penstock("run", "-m", running_cluster.address, str(program), check=False)
    assert "ZeroDivisionError" in said, said
    assert f"{program}:3" in said
