"""Uploaded programs that a JobManager runs to their end: Flink's applications."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.cluster_processes import wait_until
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.roster import Listening, Roster
from penstock.web.rest import applications
from penstock.web.rest.programs import CONFIGURATIONS, forget_configurations, own_folder
from tests.cluster.conftest import Cluster, is_alive
from tests.cluster.test_openapi import FORM, Asking

PROGRAM = b"""
import os
import subprocess
import sys
from penstock.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
print("it prints", env.get_configuration().get_string("table.exec.x", ""), "in process", os.getpid(), flush=True)
for part in ("first", "second"):
    numbers = env.from_collection([1]) if "ends" in sys.argv else env.from_sequence(0, 1 << 60)
    numbers.filter(lambda value: value < 0).print()
    env.execute(part)
if "leaves" in sys.argv:
    print("it leaves", subprocess.Popen(["sleep", "1000"], start_new_session=True).pid, "behind", flush=True)
raise SystemExit(3 if "fails" in sys.argv else 0)
"""
# It ends as it is told to once the other one is told so, too.
SOCIABLE = """
import signal, sys, time
from pathlib import Path
mine, other = map(Path, sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: mine.with_suffix(".told").touch())
mine.touch()
while not other.with_suffix(".told").exists() or not mine.with_suffix(".told").exists():
    time.sleep(0.01)
mine.with_suffix(".left").touch()
"""
# It says what others on its machine see of it, and who may read its options.
SEEN = b"""
import os, stat
from pathlib import Path
from penstock.datastream import StreamExecutionEnvironment

words = Path("/proc/self/cmdline").read_text().split(chr(0))
folder = Path(os.environ["PENSTOCK_CONF_DIR"])
modes = [oct(stat.S_IMODE(each.stat().st_mode)) for each in (folder, *folder.iterdir())]
env = StreamExecutionEnvironment.get_execution_environment()
secret = env.get_configuration().get_string("my.password", "")
print("seen:", [word for word in words if "password" in word or secret in word], modes, folder, flush=True)
env.from_collection([secret]).filter(lambda value: value != "swordfish").print()
env.execute("secretive")
"""
HEADERS = {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="module")
def asking(running_cluster: Cluster) -> Iterator[Asking]:
    made = Asking(running_cluster)
    yield made
    made.connection.close()


def uploaded(asking: Asking, program: bytes = PROGRAM, action: str = "run-application") -> str:
    """Where the program is run."""
    form = FORM.replace(FORM.split(b"\r\n\r\n")[1].split(b"\r\n--edge")[0], program)
    _, kept = asking("POST", "/jars/upload", form, HEADERS)
    return f"/jars/{Path(kept['filename']).name}/{action}"


def test_an_application_runs_to_its_end_with_all_its_jobs(asking: Asking) -> None:
    path, cluster = uploaded(asking), asking.cluster

    def begin(**wish: Any) -> str:
        status, made = asking("POST", path, json.dumps(wish).encode())
        assert status == 202, made
        return str(made["applicationId"])

    def ended(application: str) -> Any:
        told = asking("GET", f"/applications/{application}")[1]
        return told if told["status"] in ("FINISHED", "FAILED", "CANCELED") else None

    elsewhere = {"execution.target": "local", "rest.address": "nowhere", "rest.port": "1"}
    application = begin(
        programArgsList=["ends"],
        flinkConfiguration={"table.exec.x": "what it is told", **elsewhere},
        claimMode="CLAIM",
    )
    told = cluster.wait_for(lambda: ended(application))
    assert (told["status"], [job["name"] for job in told["jobs"]]) == ("FINISHED", ["first", "second"])
    assert told["end-time"] >= told["start-time"] > 0 and told["timestamps"]["RUNNING"] > 0
    assert all(
        asking("GET", f"/jobs/{job['jid']}")[1]["application-id"] == application for job in told["jobs"]
    )
    options = asking("GET", f"/jobs/{told['jobs'][0]['jid']}/config")[1]["execution-config"]["user-config"]
    assert options["execution.state-recovery.claim-mode"] == "CLAIM"
    assert "it prints what it is told" in asking("GET", "/jobmanager/stdout")[1]
    assert asking("GET", f"/applications/{application}/exceptions")[1]["exceptionHistory"]["entries"] == []
    assert asking("POST", f"/applications/{application}/cancel")[0] == 409

    failing = begin(programArgsList=["ends", "fails"], applicationId="ab" * 16)
    assert (failing, cluster.wait_for(lambda: ended(failing))["status"]) == ("ab" * 16, "FAILED")
    [entry] = asking("GET", f"/applications/{failing}/exceptions")[1]["exceptionHistory"]["entries"]
    assert "3" in entry["stacktrace"] and len(entry["jobId"]) == 32
    for wrong in (
        {"claimMode": "MINE"},
        {"jobId": "0" * 32},
        {"flinkConfiguration": [1]},
        {"applicationId": "me"},
    ):
        status, said = asking("POST", path, json.dumps(wrong).encode())
        assert status == 400 and next(iter(wrong)) in said["errors"][0], said
    status, said = asking("POST", path, json.dumps({"applicationId": failing}).encode())
    assert status == 400 and "was submitted before" in said["errors"][0]

    lasting = begin()
    cluster.wait_for(lambda: asking("GET", f"/applications/{lasting}")[1]["jobs"])
    [job] = asking("GET", f"/applications/{lasting}")[1]["jobs"]
    cluster.wait_for_state(job["jid"], "RUNNING")
    assert asking("POST", f"/applications/{lasting}/cancel") == (202, {})
    assert cluster.wait_for(lambda: ended(lasting))["status"] == "CANCELED"
    cluster.wait_for_state(job["jid"], "CANCELED")
    overview = {each["id"]: each for each in asking("GET", "/applications/overview")[1]["applications"]}
    assert overview[lasting]["jobs"] == {"CANCELED": 1} and overview[application]["jobs"] == {"FINISHED": 2}
    assert not {job["jid"] for job in told["jobs"]}.intersection(overview)


def test_an_application_has_ended_when_its_program_has_whatever_that_leaves_running(asking: Asking) -> None:
    _, made = asking("POST", uploaded(asking), json.dumps({"programArgsList": ["ends", "leaves"]}).encode())
    path = f"/applications/{made['applicationId']}"
    try:
        asking.cluster.wait_for(lambda: asking("GET", path)[1]["status"] == "FINISHED")
        assert len(asking("GET", path)[1]["jobs"]) == 2
    finally:
        said = asking("GET", "/jobmanager/stdout")[1]
        os.kill(int(said.split("it leaves ")[1].split()[0]), signal.SIGKILL)


@pytest.mark.parametrize("action", ["run-application", "run"])
def test_options_of_a_program_are_seen_by_nobody_else(asking: Asking, action: str) -> None:
    cluster, path = asking.cluster, uploaded(asking, SEEN, action)
    configurations = cluster.home / "run" / "programs" / "conf"
    status, made = asking(
        "POST", path, json.dumps({"flinkConfiguration": {"my.password": "swordfish"}}).encode()
    )
    assert status in (200, 202), made
    if action == "run-application":
        about = f"/applications/{made['applicationId']}"
        cluster.wait_for(lambda: asking("GET", about)[1]["status"] == "FINISHED")
        assert f"seen: [] ['0o700', '0o600'] {configurations}" in asking("GET", "/jobmanager/stdout")[1]
    else:
        cluster.wait_for_state(made["jobid"], "FINISHED")
        options = asking("GET", f"/jobs/{made['jobid']}/config")[1]["execution-config"]["user-config"]
        assert options["my.password"] == "******"
    assert not list(configurations.iterdir())


def test_options_that_a_killed_jobmanager_has_left_are_removed(tmp_path: Path) -> None:
    left = own_folder(tmp_path) / CONFIGURATIONS / "left"
    left.mkdir(parents=True)
    (left / "config.yaml").write_text("{}")
    forget_configurations(tmp_path)
    assert own_folder(tmp_path).exists() and not left.parent.exists()


def test_programs_end_together_when_their_jobmanager_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applications, "CLOSE_S", 120.0)
    (tmp_path / "sociable.py").write_text(SOCIABLE)
    roster = Roster(b"secret", Listening("127.0.0.1", 0))
    roster.start()
    dispatcher = Dispatcher(roster, str(tmp_path))
    running, names = applications.Applications(dispatcher), [tmp_path / "one", tmp_path / "two"]
    for mine, other in (names, names[::-1]):
        words = ("run", "-t", "local", "-py", str(tmp_path / "sociable.py"), "--", str(mine), str(other))
        running.run(mine.name, applications.Command(words, {}), None)
    assert wait_until(lambda: all(name.exists() for name in names), 120)
    for closed in (running, dispatcher, roster):
        closed.close()
    assert all(name.with_suffix(".left").exists() for name in names), "neither was killed"
    assert {each.state for each in running.all()} == {"FINISHED"}


def test_a_job_by_itself_is_an_application(asking: Asking) -> None:
    cluster = asking.cluster
    job = cluster.submit(Path(__file__).with_name("counting.py"), "--", "100000", "100")
    cluster.wait_for_state(job, "RUNNING")
    told = asking("GET", f"/applications/{job}")[1]
    assert (told["id"], told["name"], told["status"]) == (job, "counting", "RUNNING")
    assert [each["jid"] for each in told["jobs"]] == [job] and told["end-time"] == -1
    assert asking("GET", f"/jobs/{job}")[1]["application-id"] == job
    assert asking("POST", f"/applications/{job}/cancel") == (202, {})
    cluster.wait_for_state(job, "CANCELED")
    assert asking("GET", f"/applications/{job}")[1]["status"] == "CANCELED"
    assert asking("POST", f"/applications/{job}/cancel") == (202, {}), "as it is already"
    assert asking("GET", "/applications/nonsense")[0] == 404


@pytest.mark.slow
def test_a_program_ends_with_its_jobmanager_and_its_job_goes_on(cluster: Cluster) -> None:
    cluster.penstock("start-cluster", "-n", "1")
    asking = Asking(cluster)
    _, made = asking("POST", uploaded(asking))
    application = f"/applications/{made['applicationId']}"
    [job] = cluster.wait_for(lambda: asking("GET", application)[1]["jobs"])
    cluster.wait_for_state(job["jid"], "RUNNING")
    [words] = [
        line.split() for line in asking("GET", "/jobmanager/stdout")[1].splitlines() if "it prints" in line
    ]
    program = int(words[words.index("process") + 1])
    assert is_alive(program)
    os.kill(cluster.pids("jobmanager")[0], signal.SIGKILL)
    cluster.wait_for_files(lambda: not is_alive(program))
    cluster.penstock("jobmanager", "start")
    cluster.wait_for_state(job["jid"], "RUNNING")
    asking.connection.close()
    assert asking("GET", f"/applications/{job['jid']}")[1]["status"] == "RUNNING"
