"""Jobs that a JobManager refuses are not run by the one after it, whatever storage does meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from penstock.datastream import StreamExecutionEnvironment
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.job_store import JobStore
from penstock.deploy.cluster.roster import Listening, Roster
from penstock.deploy.cluster.submission import encode_submission, make_submission
from penstock.errors import OutsideError, ProgramError, StateError
from penstock.plan.compile import compile_graph
from tests.cluster.test_taking_up import JOB, wait_for

DIRECTORY = "unsure://cluster"


class Unsure(MemoryFileSystem):
    """Files in memory, behind a network that loses answers while ``is_away``: what is written is there, nobody is told so,
    and nothing can be removed."""

    protocol = "unsure"
    store: dict[str, Any] = {}  # noqa: RUF012  (one for all, as that of its parent)
    pseudo_dirs = [""]  # noqa: RUF012
    is_away = False

    def pipe_file(self, path: str, value: bytes, *arguments: Any, **more: Any) -> None:
        super().pipe_file(path, value, *arguments, **more)
        if Unsure.is_away:
            raise OSError("no answer")

    def rm(self, path: str, *arguments: Any, **more: Any) -> None:
        if Unsure.is_away:
            raise OSError("no answer")
        super().rm(path, *arguments, **more)


@pytest.fixture
def dispatcher(tmp_path: Path) -> Iterator[Dispatcher]:
    fsspec.register_implementation("unsure", Unsure, clobber=True)
    Unsure.store.clear()
    roster = Roster(b"secret", Listening("127.0.0.1", 0))
    roster.start()
    made = Dispatcher(roster, DIRECTORY, files=tmp_path / "files")
    yield made
    Unsure.is_away = False
    for job in made.jobs():
        made.cancel(job.id)
    wait_for(lambda: all(job.is_over for job in made.jobs()))
    made.close()
    roster.close()


def submission(settings: dict[str, str] | None = None) -> bytes:
    env = StreamExecutionEnvironment.get_execution_environment(settings or {})
    env.from_sequence(1, 10).print()
    return encode_submission(make_submission(JOB, compile_graph(env.get_stream_graph()), [], []))


def noted() -> list[str]:
    return [job_id for job_id, _ in JobStore(f"{DIRECTORY}/jobs").all()]


def test_a_job_that_cannot_start_is_noted_nowhere(dispatcher: Dispatcher, tmp_path: Path) -> None:
    Unsure.is_away = True
    with pytest.raises(StateError, match="there is no checkpoint or savepoint at "):
        dispatcher.submit(submission({"execution.state-recovery.path": str(tmp_path / "nowhere")}))
    assert noted() == []


def test_a_job_of_which_nobody_knows_whether_it_is_noted_is_taken_back_once_storage_answers(
    dispatcher: Dispatcher,
) -> None:
    Unsure.is_away = True
    with pytest.raises(OutsideError, match="no answer"):
        dispatcher.submit(submission())
    assert noted() == [JOB], "a JobManager that is started now runs it"
    with pytest.raises(ProgramError, match="was refused before, and storage has not forgotten it yet"):
        dispatcher.submit(submission())
    Unsure.is_away = False
    wait_for(lambda: not noted())

    def comes() -> bool:
        try:
            return bool(dispatcher.submit(submission()))
        except ProgramError:
            return False

    wait_for(comes)
    assert noted() == [JOB]
