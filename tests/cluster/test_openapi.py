"""The OpenAPI document: it is one, every path in it answers as it says, and whatever is asked breaks nothing."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.deploy.cluster.secret import SUBMISSION_HEADER, submission_proof
from tests.cluster.conftest import Cluster

PROGRAM = Path(__file__).with_name("counting.py")
FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="jarfile"; filename="small.py"\r\n\r\n'
    b"from penstock.datastream import StreamExecutionEnvironment\n"
    b"env = StreamExecutionEnvironment.get_execution_environment()\n"
    b"env.from_collection([1]).print()\n"
    b"env.execute('small')\n\r\n--edge--\r\n"
)
HEX = "0" * 32


class Asking:
    """One connection to the API of a cluster, and its description."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.connection = http.client.HTTPConnection("127.0.0.1", cluster.rest_port, timeout=120)
        secret = bytes.fromhex((cluster.home / "run" / "cluster.secret").read_text())
        self.proof = submission_proof(secret)
        self.document: dict[str, Any] = self("GET", "/openapi.json")[1]

    def __call__(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        sent = {SUBMISSION_HEADER: self.proof, **(headers or {})}
        try:
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self.connection.close()  # the server closes what was idle for some seconds
            self.connection.request(method, path, body, sent)
            answer = self.connection.getresponse()
        content = answer.read()
        kind = answer.headers.get("content-type", "")
        if kind == "application/octet-stream":
            return answer.status, content.decode("latin-1")  # as the description has bytes
        return answer.status, json.loads(content) if kind == "application/json" else content.decode()

    def operations(self) -> Iterator[tuple[str, str, Any]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def check(self, operation: Any, status: int, made: Any, whose: str) -> None:
        """The answer is as the description says."""
        described = operation["responses"].get(str(status))
        if described is None:
            assert 400 <= status < 500, (whose, status, made)
            schema = self.document["components"]["schemas"]["Errors"]
        else:
            schema = next(iter(described["content"].values()))["schema"]
        try:
            jsonschema.validate(made, schema)
        except jsonschema.ValidationError as error:
            raise AssertionError(f"{whose}: {error.message} at {list(error.absolute_path)}") from error


@pytest.fixture(scope="module")
def asking(running_cluster: Cluster) -> Iterator[Asking]:
    made = Asking(running_cluster)
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def job(running_cluster: Cluster) -> str:
    made = running_cluster.submit(PROGRAM, "-p", "2", "--", "100000", "100")
    running_cluster.wait_for_state(made, "RUNNING")
    return made


@pytest.fixture(scope="module")
def names(asking: Asking, job: str, running_cluster: Cluster) -> dict[str, str]:
    """What there is, by the names that paths have for it."""
    cluster = running_cluster
    latest = cluster.wait_for(lambda: cluster.client.get(f"/jobs/{job}/checkpoints")["latest"]["completed"])
    (manager,) = cluster.client.get("/taskmanagers")["taskmanagers"]
    logs = cluster.client.get(f"/taskmanagers/{manager['id']}/logs")["logs"]
    form = {"Content-Type": "multipart/form-data; boundary=edge"}
    status, made = asking("POST", "/jars/upload", FORM, form)
    assert status == 200, made
    return {
        "job": job,
        "application": job,
        "vertex": cluster.job(job)["vertices"][1]["id"],
        "subtask": "1",
        "attempt": "0",
        "checkpoint": str(latest["id"]),
        "rescale": cluster.client.get(f"/jobs/{job}/rescales/overview")["latest"]["completed"]["rescaleUuid"],
        "taskmanager": manager["id"],
        "name": logs[0]["name"],
        "program": Path(made["filename"]).name,
    }


@pytest.mark.slow
def test_the_document_is_one_of_openapi(asking: Asking) -> None:
    from openapi_spec_validator import validate

    validate(asking.document)
    identities = [operation["operationId"] for _, _, operation in asking.operations()]
    assert len(identities) == len(set(identities)) > 60


def test_metrics_are_under_flinks_names(asking: Asking, names: dict[str, str]) -> None:
    def value(path: str, name: str) -> float | None:
        found = asking("GET", f"{path}?get={name}")[1]
        return float(found[0]["value"]) if found else None

    cluster, job = asking.cluster, f"/jobs/{names['job']}"
    vertex = f"{job}/vertices/{names['vertex']}"
    subtask = f"{vertex}/subtasks/1/metrics"
    assert cluster.wait_for(lambda: (value(subtask, "numRecordsIn") or 0) > 0)
    assert cluster.wait_for(lambda: (value(subtask, "numRecordsInPerSecond") or 0) > 0)
    assert cluster.wait_for(lambda: (value(vertex + "/metrics", "0.KEYED_PROCESS.numRecordsIn") or 0) > 0)
    summed = asking("GET", f"{vertex}/subtasks/metrics?get=numRecordsIn&agg=min,max,sum")[1][0]
    assert 0 < summed["min"] <= summed["max"] < summed["sum"]
    assert (value(f"{job}/metrics", "lastCompletedCheckpointId") or 0) >= int(names["checkpoint"])
    assert value(f"{job}/metrics", "numRestarts") == 0
    assert value("/jobmanager/metrics", "taskSlotsTotal") == 2
    assert (value(f"/taskmanagers/{names['taskmanager']}/metrics", "Status.JVM.Threads.Count") or 0) >= 1


def test_a_checkpoint_that_is_asked_for_is_taken(asking: Asking, names: dict[str, str]) -> None:
    path = f"/jobs/{names['job']}/checkpoints"
    status, made = asking("POST", path, b'{"checkpointType": "FULL"}')
    assert status == 202
    done = asking.cluster.wait_for(
        lambda: (found := asking("GET", f"{path}/{made['request-id']}")[1])["operation"] and found
    )
    number = done["operation"]["checkpointId"]
    details = asking("GET", f"{path}/details/{number}")[1]
    assert (details["status"], details["num_acknowledged_subtasks"]) == ("COMPLETED", 4)
    parts = asking("GET", f"{path}/details/{number}/subtasks/{names['vertex']}")[1]["subtasks"]
    assert [part["index"] for part in parts] == [0, 1]
    assert all(part["state_size"] > 0 for part in parts)


def test_a_program_that_is_uploaded_runs_and_what_is_none_is_refused(
    asking: Asking, names: dict[str, str]
) -> None:
    status, made = asking("POST", f"/jars/{names['program']}/plan", b'{"parallelism": 3}')
    assert status == 200, made
    assert [node["parallelism"] for node in made["plan"]["nodes"]] == [1, 3]
    status, made = asking("POST", f"/programs/{names['program']}/run", b'{"programArgsList": ["-s"]}')
    assert status == 200, made
    cluster = asking.cluster
    assert cluster.wait_for(lambda: cluster.job(made["jobid"])["name"] == "small")
    asking("PATCH", f"/jobs/{made['jobid']}")
    form = {"Content-Type": "multipart/form-data; boundary=edge"}
    for wrong in (FORM.replace(b"small.py", b"small.jar"), FORM.replace(b"filename", b"fail"), b""):
        status, made = asking("POST", "/jars/upload", wrong, form)
        assert status == 400, made
    broken = FORM.replace(b"env.execute", b"env.exekute")
    _, kept = asking("POST", "/jars/upload", broken, form)
    status, made = asking("POST", f"/jars/{Path(kept['filename']).name}/run")
    assert status == 400 and "exekute" in made["errors"][0], made


def test_pages_of_others_change_nothing(asking: Asking) -> None:
    status, made = asking("POST", "/savepoint-disposal", b"{}", {"Origin": "http://elsewhere"})
    assert (status, made) == (403, {"errors": ["a page of http://elsewhere may not change anything here"]})


# Whatever is asked -------------------------------------------------------------------------------------------------------

_TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "-1",
        "0",
        "99999999999999999999",
        "1e9",
        "..",
        "%2e%2e%2f",
        "\0",
        "\ud800".encode("utf-8", "replace").decode(),
        HEX,
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_ENDS = {("DELETE", "/cluster")}
_ENDS_JOB = {
    ("PATCH", "/jobs/{job}"),
    ("PATCH", "/jobs/{job}/clientHeartbeat"),
    ("POST", "/jobs/{job}/stop"),
    ("POST", "/applications/{application}/cancel"),
}


@st.composite
def requests(
    draw: st.DrawFn, asking: Asking, names: dict[str, str]
) -> tuple[str, str, Any, str, bytes | None]:
    operations = [
        o
        for o in asking.operations()
        if o[:2] not in _ENDS and not o[1].endswith(("/run", "/plan", "/run-application"))
    ]
    method, path, operation = draw(st.sampled_from(operations))
    target = path
    for parameter in (each for each in operation.get("parameters", ()) if each["in"] == "path"):
        name = parameter["name"]
        real = names.get(name, HEX)
        ends = (method, path) in _ENDS_JOB or (method, name) == ("DELETE", "program")
        value = draw(_TEXTS if ends else st.just(real) | st.just(real) | _TEXTS)
        target = target.replace("{" + name + "}", quote(value, safe=""))
    queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
    asked = draw(st.dictionaries(st.sampled_from([*queries, "x"]), _TEXTS, max_size=3))
    if asked:
        target += "?" + urlencode(asked)
    content = operation.get("requestBody", {}).get("content", {})
    fields = content.get("application/json", {}).get("schema", {}).get("properties", {})
    body = draw(st.none() | st.binary(max_size=40) | _bodies(list(fields), asking.cluster.home))
    return method, path, operation, target, body


def _bodies(fields: list[str], home: Path) -> st.SearchStrategy[bytes]:
    def value_of(field: str) -> st.SearchStrategy[Any]:
        if "irectory" in field or field == "savepoint-path":
            return st.just(str(home / "savepoints")) | _TEXTS.filter(lambda t: ".." not in t).map(
                lambda name: f"{home}/savepoints/{name}"
            )
        return _VALUES.filter(lambda value: field != "cancel-job" or value is not True)

    known = st.fixed_dictionaries({}, optional={field: value_of(field) for field in fields})
    return st.tuples(known, st.dictionaries(st.just("unknown"), _VALUES, max_size=1)).map(
        lambda parts: json.dumps({**parts[0], **parts[1]}).encode()
    )


@pytest.mark.parametrize("count", [100, pytest.param(600, marks=pytest.mark.slow)])
def test_no_request_breaks_the_server(asking: Asking, names: dict[str, str], count: int) -> None:
    @settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))
    @given(requests(asking, names))
    def ask(request: tuple[str, str, Any, str, bytes | None]) -> None:
        method, _, operation, target, body = request
        status, made = asking(method, target, body)
        asking.check(operation, status, made, f"{method} {target} {body!r}")

    ask()
    assert asking.cluster.job(names["job"])["state"] == "RUNNING"


# Must be the last: it ends the cluster.


def test_every_operation_answers_as_it_is_described(asking: Asking, names: dict[str, str]) -> None:
    bodies: dict[tuple[str, str], bytes] = {
        ("POST", "/jobs/{job}/savepoints"): json.dumps(
            {"target-directory": str(asking.cluster.home / "savepoints")}
        ).encode(),
        ("POST", "/jobs/{job}/stop"): b'{"targetDirectory": "/nowhere\\u0000"}',  # refused: the job is needed
        ("POST", "/savepoint-disposal"): json.dumps({"savepoint-path": "/nowhere"}).encode(),
        ("POST", "/jobs"): b"nonsense",
    }
    requirements = "/jobs/{job}/resource-requirements"
    bounds = asking("GET", requirements.replace("{job}", names["job"]))[1]
    bodies["PATCH", "/jobs/{job}/clientHeartbeat"] = json.dumps({"expiredTimestamp": 1 << 50}).encode()
    bodies["PUT", requirements] = json.dumps(bounds).encode()
    # The job collects no rows, and is needed.
    refused = {("POST", "/jobs/{job}/stop"), ("POST", "/jobs"), ("GET", "/jobs/{job}/rows/{collector}")}
    triggers = {
        "/jobs/{job}/savepoints": "/jobs/{job}/savepoints",
        "/jobs/{job}/checkpoints": "/jobs/{job}/checkpoints",
        "/savepoint-disposal": "/savepoint-disposal",
        "/jobs/{job}/rescaling": "/jobs/{job}/rescaling",
    }
    queries = {("PATCH", "/jobs/{job}/rescaling"): "?parallelism=1"}
    _, run = asking("POST", f"/jars/{names['program']}/run-application")
    applications = {"/applications/{application}/cancel": run["applicationId"]}  # the job's own is needed
    begun: dict[str, str] = {}
    form = {"Content-Type": "multipart/form-data; boundary=edge"}
    called = set()
    # What answers with an id comes before what is asked with it; what ends something comes last.
    order = {"POST": 0, "GET": 1, "PUT": 1.05, "PATCH": 2, "DELETE": 3}
    rescaling = {"PATCH": 1.1, "GET": 1.2}  # the job's vertices and attempts are others then
    operations = sorted(
        asking.operations(),
        key=lambda o: ((rescaling if "/rescaling" in o[1] else order)[o[0]], o[1] == "/cluster", o[1]),
    )
    for method, path, operation in operations:
        known = {**names, "application": applications.get(path, names["application"])}
        if "{checkpoint}" in path:  # of the older ones not all are remembered
            latest = asking("GET", f"/jobs/{names['job']}/checkpoints")[1]["latest"]
            known["checkpoint"] = str(latest["completed"]["id"])
        if path.endswith("{trigger}"):
            known["trigger"] = begun[triggers[path.removesuffix("/{trigger}")]]
        target = path
        for name, value in known.items():
            target = target.replace("{" + name + "}", quote(value, safe=""))
        target += queries.get((method, path), "")
        if path.startswith("/programs/") and method == "DELETE":
            _, kept = asking("POST", "/jars/upload", FORM, form)
            target = f"/programs/{Path(kept['filename']).name}"
        headers = form if path.endswith("/upload") else {}
        body = FORM if path.endswith("/upload") else bodies.get((method, path))
        status, made = asking(method, target, body, headers)
        whose = f"{method} {target}"
        assert status < 400 or (method, path) in refused, (whose, status, made)
        asking.check(operation, status, made, whose)
        if "request-id" in (made if isinstance(made, dict) else {}):
            begun[path] = made["request-id"]
        called.add((method, path))
    assert called == {(method, path) for method, path, _ in asking.operations()}
