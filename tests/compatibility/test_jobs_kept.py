"""What JobManagers have kept of jobs is read for ever, in every version of the format; what cannot be read is refused."""

import copyreg
import io
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from penstock.dataflow.job import JobGraph, JobVertex
from penstock.deploy.cluster import submission as format_of_jobs
from penstock.deploy.cluster.job_store import JobStore, LatestCheckpoint
from penstock.deploy.cluster.submission import (
    FORMAT_VERSION,
    HERE,
    Maker,
    Submission,
    decode_submission,
    encode_submission,
    make_submission,
)
from penstock.deploy.local.executor import LocalExecutor
from penstock.errors import ProgramError
from penstock.plan.compile import compile_graph
from tests.compatibility.kept_job import JOB_ID, LATEST, NAME, graph
from tests.compatibility.write_job import JOBS, submission, write

KEPT = sorted(JOBS.iterdir())


def content_in(directory: Path) -> bytes:
    [(job_id, content)] = JobStore(str(directory)).all()
    assert job_id == JOB_ID
    return content


def outline(graph: JobGraph) -> list[tuple[Any, ...]]:
    return [
        (vertex.name, vertex.parallelism, each.id, each.name, type(each.spec), each.effect, each.origin)
        for vertex in graph.vertices
        for each in vertex.operators
    ]


def printed_by(graph: JobGraph, capfd: pytest.CaptureFixture[str]) -> list[str]:
    LocalExecutor().submit(graph).result()
    lines = capfd.readouterr().out.splitlines()
    return sorted(line.rpartition("> ")[2] for line in lines)


@pytest.mark.parametrize("directory", KEPT, ids=lambda path: path.name)
def test_a_job_of_every_version_is_read_and_runs(directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found, now = decode_submission(content_in(directory)), submission()
    assert replace(found, graph=b"", classes=(), made_by=HERE) == replace(now, graph=b"", classes=())
    assert JobStore(str(directory)).latest(JOB_ID) == LatestCheckpoint(LATEST, "/nowhere/chk-7")
    read = found.load_graph()
    assert outline(read) == outline(graph())
    assert (read.job_name, read.settings) == (NAME, graph().settings)
    lines = printed_by(read, capfd)
    assert lines == printed_by(graph(), capfd) and len(lines) == 10 + 4 + 10 + 6


def test_there_is_one_of_the_version_that_is_written_now(tmp_path: Path) -> None:
    assert f"version-{FORMAT_VERSION}" in [path.name for path in KEPT]
    write(tmp_path)
    made = decode_submission(content_in(tmp_path))
    assert made == submission() and made.made_by == HERE
    assert {each["module"].split(".")[0] for each in made.classes} == {"penstock"}
    assert "JobVertex" in [each["class"] for each in made.classes]


def older(change: Callable[[JobVertex], list[Any]], names: list[str]) -> Submission:
    """A job of a version whose vertices had other fields."""
    now = submission()
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 5)
    pickler.dispatch_table = copyreg.dispatch_table | {
        JobVertex: lambda vertex: (copyreg.__newobj__, (JobVertex,), change(vertex))  # type: ignore[attr-defined]
    }
    pickler.dump(now.load_graph())
    classes = [each for each in now.classes if each["class"] != "JobVertex"]
    classes.append({"as": "dataclass", "module": JobVertex.__module__, "class": "JobVertex", "names": names})
    return replace(now, graph=buffer.getvalue(), classes=tuple(classes), made_by=Maker("0.0.9", HERE.python))


NAMES = [field.name for field in fields(JobVertex)]


def test_fields_that_have_come_since_have_their_defaults() -> None:
    made = older(lambda vertex: [getattr(vertex, name) for name in NAMES[:-1]], NAMES[:-1])
    read = decode_submission(encode_submission(made)).load_graph()
    assert outline(read) == outline(graph())
    assert [vertex.max_is_open for vertex in read.vertices] == [False] * len(read.vertices)


def test_a_field_that_cannot_be_made_up_is_named_with_what_to_do() -> None:
    made = older(lambda vertex: [getattr(vertex, name) for name in NAMES[1:]], NAMES[1:])
    with pytest.raises(ProgramError, match=r"was submitted by penstock 0\.0\.9 on Python .*'id'.* savepoint"):
        made.load_graph()


def test_a_class_that_is_gone_is_named_with_what_to_do() -> None:
    now = submission()
    gone = now.graph.replace(b"penstock.dataflow.job", b"penstock.dataflow.jab")
    with pytest.raises(ProgramError, match=r"penstock\.dataflow\.jab.* stop it with a savepoint"):
        replace(now, graph=gone, made_by=Maker("0.0.9", HERE.python)).load_graph()


def test_functions_that_another_python_has_compiled_are_refused() -> None:
    from penstock.datastream import StreamExecutionEnvironment

    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([1]).map(lambda value: value + 1).print()
    made = make_submission(JOB_ID, compile_graph(env.get_stream_graph()), [], [])
    assert isinstance(made.load_graph(), JobGraph)
    other = replace(made, made_by=Maker(HERE.penstock, "3.9"))
    with pytest.raises(ProgramError, match=r"compiled by Python 3\.9, and the cluster runs Python 3"):
        other.load_graph()
    assert isinstance(replace(submission(), made_by=other.made_by).load_graph(), JobGraph)


def test_what_is_newer_altered_or_no_job_is_refused() -> None:
    content = encode_submission(submission())
    newer = content.replace(b"penstock-job 2 ", b"penstock-job 99 ", 1)
    with pytest.raises(ProgramError, match=r"format version 99, and penstock .* reads up to 2"):
        decode_submission(newer)
    with pytest.raises(ProgramError, match="altered or cut off"):
        decode_submission(content[:-1])
    lines = (b"penstock-job", b"penstock-job x 1 2\n", b"penstock-job \xb2 1 2\n")
    for other in (b"", b"nonsense", *lines, pickle.dumps([1]), b"\x80\x05"):
        with pytest.raises(ProgramError, match=r"no job of penstock|not a job of penstock"):
            decode_submission(other)


def test_the_classes_of_version_1_are_known() -> None:
    named = {f"{each['module']}:{each['class']}" for each in format_of_jobs._classes_of_version_1()}
    now = {f"{each['module']}:{each['class']}" for each in submission().classes}
    assert now <= named
