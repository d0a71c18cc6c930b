"""Jobs that a JobManager takes up again: each as soon as it can, however long that takes, and none is lost meanwhile."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import ClassVar
from weakref import WeakSet

import pytest

from penstock.checkpoint.manifest import Manifest, write_manifest
from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.recovery import SavepointWish
from penstock.dataflow.submission import JobStatus
from penstock.datastream import StreamExecutionEnvironment
from penstock.deploy.cluster.dispatched_job import DispatchedJob, JobArrives, Rescaling
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.job_store import JobStore, LatestCheckpoint
from penstock.deploy.cluster.rescale_history import Cause
from penstock.deploy.cluster.roster import Listening, Roster
from penstock.deploy.cluster.submission import decode_submission, encode_submission, make_submission
from penstock.errors import OutsideError, PenstockError
from penstock.plan.compile import compile_graph
from penstock.web.rest.job_views import job_detail, job_line, plan
from tests.cluster.conftest import Cluster

JOB = "5" * 32


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(2400):
        if condition():
            return
        Event().wait(0.05)
    raise AssertionError("it did not come")


def cannot_be_removed(path: Path) -> Callable[[], None]:
    """Storage refuses to remove a file, until what is given is called."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()

    def give_back() -> None:
        path.rmdir()
        aside.rename(path)

    return give_back


@pytest.fixture
def dispatcher(tmp_path: Path) -> Iterator[Dispatcher]:
    """A JobManager's jobs, without TaskManagers: they wait for slots."""
    roster = Roster(b"secret", Listening("127.0.0.1", 0))
    roster.epoch = 2
    roster.start()
    made = Dispatcher(roster, str(tmp_path), files=tmp_path / "files")
    yield made
    for job in made.jobs():
        made.cancel(job.id)
    wait_for(lambda: all(job.has_ended for job in made.jobs()))
    made.close()
    roster.close()


@pytest.fixture
def left(tmp_path: Path) -> JobStore:
    """What a JobManager before this one has left: a job with a checkpoint."""
    env = StreamExecutionEnvironment.get_execution_environment(
        {
            "execution.checkpointing.interval": "1 h",
            "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
            "execution.checkpointing.num-retained": "2",
        }
    )
    env.from_sequence(1, 10).print()
    store = JobStore(str(tmp_path / "jobs"), epoch=lambda: 1)
    store.add(JOB, encode_submission(make_submission(JOB, compile_graph(env.get_stream_graph()), [], [])))
    for number in (1, 2):
        write_manifest(str(tmp_path / "checkpoints" / JOB / f"chk-{number}"), Manifest(number, 0, JOB, "job"))
    return store


def test_a_job_whose_checkpoint_cannot_be_read_is_not_started_over_but_waits(
    dispatcher: Dispatcher, left: JobStore, tmp_path: Path
) -> None:
    left.note(JOB, LatestCheckpoint(2, str(tmp_path / "checkpoints" / JOB / "chk-2")))
    newest = tmp_path / "checkpoints" / JOB / "chk-2" / "_metadata"
    content = newest.read_bytes()
    newest.unlink()
    newest.mkdir()  # it is there, and cannot be read
    [arriving] = dispatcher.take_up_again()
    wait_for(lambda: arriving.failure)
    assert "chk-2 cannot be read" in arriving.failure
    assert [each.name for each in dispatcher.arriving()] == ["Flink Streaming Job"]
    assert dispatcher.jobs() == []
    with pytest.raises(JobArrives, match=r"is being taken up again; so far it could not: .*chk-2"):
        dispatcher.job(JOB)
    newest.rmdir()
    newest.write_bytes(content)
    wait_for(dispatcher.jobs)
    job = dispatcher.job(JOB)
    kept = job.job.kept_checkpoints()
    assert ([each.checkpoint_id for each in kept.completed], kept.numbers_used) == ([1, 2], 2)
    assert job.job.recovery().restarts == 1, "its sinks are told that it has run before"
    assert dispatcher.arriving() == []
    notes = sorted(path.name for path in (tmp_path / "jobs").glob("*.latest"))
    assert notes == [f"{JOB}.0000000002.latest"]


def test_a_job_that_cannot_be_taken_up_is_cancelled_as_any_other(
    dispatcher: Dispatcher, left: JobStore, tmp_path: Path
) -> None:
    left.note(JOB, LatestCheckpoint(3, str(tmp_path / "checkpoints" / JOB / "chk-3")))
    [arriving] = dispatcher.take_up_again()
    wait_for(lambda: arriving.failure)
    assert "sinks may have committed checkpoint 3, and that is lost" in arriving.failure
    dispatcher.cancel(JOB)
    job = dispatcher.job(JOB)
    assert (job.status, dispatcher.arriving()) == (JobStatus.CANCELED, [])
    assert job_line(job)["name"] == "Flink Streaming Job" and job_detail(job)["state"] == "CANCELED"
    assert (plan(job.graph, JOB)["nodes"], job.graph.parallelism) == ([], 0)
    assert [path.name for path in (tmp_path / "jobs").iterdir() if path.suffix == ".job"] == []


def test_a_job_that_arrives_is_cancelled_again_until_storage_has_forgotten_it(
    dispatcher: Dispatcher, left: JobStore, tmp_path: Path
) -> None:
    left.note(JOB, LatestCheckpoint(3, str(tmp_path / "checkpoints" / JOB / "chk-3")))
    [arriving] = dispatcher.take_up_again()
    wait_for(lambda: arriving.failure)
    ended: list[DispatchedJob] = []
    dispatcher.on_ended = ended.append
    give_back = cannot_be_removed(tmp_path / "jobs" / f"{JOB}.job")
    for _ in range(2):
        with pytest.raises(PenstockError, match=r"\.job"):
            dispatcher.cancel(JOB)
    with pytest.raises(JobArrives, match="cancel it again"):
        dispatcher.job(JOB)
    give_back()
    dispatcher.cancel(JOB)
    assert ended == [dispatcher.job(JOB)]
    dispatcher.cancel(JOB)
    assert len(ended) == 1 and ended[0].status is JobStatus.CANCELED


def test_a_job_that_has_ended_is_forgotten_with_its_notes(
    dispatcher: Dispatcher, left: JobStore, tmp_path: Path
) -> None:
    dispatcher.take_up_again()
    wait_for(dispatcher.jobs)
    assert len(list((tmp_path / "jobs").iterdir())) == 2
    dispatcher.cancel(JOB)
    wait_for(lambda: dispatcher.job(JOB).status is JobStatus.CANCELED)
    wait_for(lambda: dispatcher.job(JOB).ended_at_ms)
    wait_for(lambda: not list((tmp_path / "jobs").iterdir()))


@pytest.mark.parametrize("is_rescaling", [False, True], ids=["as it ran", "while it is rescaled"])
def test_checkpoints_stay_until_their_job_is_forgotten_however_long_that_takes(
    dispatcher: Dispatcher,
    left: JobStore,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    is_rescaling: bool,
) -> None:
    dispatcher.take_up_again()
    wait_for(dispatcher.jobs)
    job = dispatcher.job(JOB)
    if is_rescaling:
        job.begin_rescaling(job.graph, Cause.UPDATE_REQUIREMENT)
    give_back = cannot_be_removed(tmp_path / "jobs" / f"{JOB}.job")
    dispatcher.cancel(JOB)
    wait_for(lambda: caplog.text.count("still noted as one that runs") >= 2)
    assert not job.is_over
    # Whoever is told that it has ended is told so for ever.
    assert (job.status, job_line(job)["state"], job.ended_at_ms) == (JobStatus.CANCELLING, "CANCELLING", None)
    checkpoints = tmp_path / "checkpoints" / JOB
    assert {path.name for path in checkpoints.glob("chk-*")} == {"chk-1", "chk-2"}
    give_back()
    wait_for(lambda: job.is_over)
    assert job.status is JobStatus.CANCELED and job.ended_at_ms
    assert not list((tmp_path / "jobs").iterdir())
    wait_for(lambda: not list(checkpoints.glob("chk-*")))


def test_a_job_that_cannot_go_on_after_it_was_to_be_rescaled_has_failed(
    dispatcher: Dispatcher, left: JobStore, tmp_path: Path
) -> None:
    dispatcher.take_up_again()
    wait_for(dispatcher.jobs)
    ended: list[DispatchedJob] = []
    dispatcher.on_ended = ended.append
    job = dispatcher.job(JOB)
    broken = replace(job.graph, settings={**job.graph.settings, "restart-strategy.type": "sometimes"})
    told = job.rescales.begin(Cause.UPDATE_REQUIREMENT, broken, broken)
    rescaling = job.rescaling = Rescaling(broken, broken, told)
    job.job.suspend()
    with pytest.raises(OutsideError, match="sometimes"):
        rescaling.done.result(120)
    wait_for(lambda: ended)
    assert (job.status, job.rescaling, job.is_over) == (JobStatus.FAILED, None, True)
    assert "sometimes" in job.failure and JobStatus.FAILED in job.times
    assert not list((tmp_path / "jobs").iterdir())
    assert (tmp_path / "checkpoints" / JOB / "chk-2" / "_metadata").exists(), "somebody may go on from it"


def test_a_job_that_is_taken_up_still_ends_with_its_client(dispatcher: Dispatcher, left: JobStore) -> None:
    [(_, content)] = left.all()
    left.add(JOB, encode_submission(replace(decode_submission(content), client_timeout_ms=1)))
    dispatcher.take_up_again()
    wait_for(lambda: dispatcher.jobs() and dispatcher.job(JOB).is_over)
    assert dispatcher.job(JOB).status is JobStatus.CANCELED


def test_how_long_a_job_goes_on_without_its_client_is_noted_with_it(
    dispatcher: Dispatcher, left: JobStore
) -> None:
    dispatcher.take_up_again()
    wait_for(dispatcher.jobs)
    for _ in range(2):
        dispatcher.client_is_there(JOB, SYSTEM_CLOCK.now_ms() + 3_600_000)
    [(_, content)] = left.all()
    assert 0 < (decode_submission(content).client_timeout_ms or 0) <= 3_600_000


class Element:
    """An element of a collection that travels with its job."""

    alive: ClassVar["WeakSet[Element]"] = WeakSet()

    def __init__(self) -> None:
        self.number = 1

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__dict__.update(state)
        Element.alive.add(self)


def test_nothing_that_travels_with_a_job_is_kept_when_it_has_ended(dispatcher: Dispatcher) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_collection([Element(), Element()]).map(str).print()
    graph = compile_graph(env.get_stream_graph())
    job = dispatcher.submit(encode_submission(make_submission(JOB, graph, [], [])))
    assert len(Element.alive) >= 2
    line = job_line(job)
    dispatcher.cancel(JOB)
    wait_for(lambda: not job.submission.graph)

    def nothing_is_left() -> bool:
        gc.collect()
        return not Element.alive

    wait_for(nothing_is_left)
    assert job_line(job)["name"] == line["name"] and job_detail(job)["state"] == "CANCELED"
    assert plan(job.graph, JOB)["nodes"]
    with pytest.raises(OutsideError, match="it has no savepoint to give"):
        job.job.savepoint(SavepointWish()).result()


@pytest.mark.slow
def test_a_job_that_takes_long_to_be_taken_up_does_not_hold_up_the_api(
    cluster: Cluster, left: JobStore, tmp_path: Path
) -> None:
    jobs = cluster.home / "run" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / f"{JOB}.job").write_bytes((tmp_path / "jobs" / f"{JOB}.job").read_bytes())
    newest = tmp_path / "checkpoints" / JOB / "chk-2" / "_metadata"
    newest.unlink()
    newest.mkdir()
    cluster.penstock("start-cluster", "-n", "0")
    [line] = cluster.client.get("/jobs/overview")["jobs"]
    assert (line["jid"], line["state"]) == (JOB, "INITIALIZING")
    assert f"{JOB} : Flink Streaming Job (INITIALIZING)" in cluster.penstock("list", "-m", cluster.address)
    said = cluster.penstock("savepoint", "-m", cluster.address, JOB, str(tmp_path), check=False)
    assert "is being taken up again" in said
    cluster.penstock("cancel", "-m", cluster.address, JOB)
    cluster.wait_for_state(JOB, "CANCELED")


@contextmanager
def jobmanager(storage: Path, own: Path, epoch: int) -> Iterator[Dispatcher]:
    """The jobs of a JobManager that notes them in storage, and has a directory of its own; they end with it as it dies."""
    roster = Roster(b"secret", Listening("127.0.0.1", 0))
    roster.epoch = epoch
    roster.start()
    made = Dispatcher(
        roster, str(storage), files=own / "files", results=(f"{storage}/results", f"{own}/results")
    )
    yield made
    made.close()
    roster.close()


def end_while_storage_is_away(storage: Path, own: Path) -> None:
    """A job ends under the JobManager of epoch 2, which dies before its storage is back."""
    with jobmanager(storage, own, 2) as first:
        first.take_up_again()
        wait_for(first.jobs)
        job = first.job(JOB)
        away = storage.rename(storage.with_name("away"))
        storage.touch()
        first.cancel(JOB)
        wait_for(lambda: list((own / "results").glob("*")))
        assert job.status is JobStatus.CANCELLING, "as somebody on another machine may take it up"
    wait_for(lambda: job.is_over)  # nothing of it runs any more
    storage.unlink()
    away.rename(storage)


@pytest.fixture
def storage(left: JobStore, tmp_path: Path) -> Path:
    """Where the job that was left lies."""
    (tmp_path / "ha").mkdir()
    return (tmp_path / "jobs").rename(tmp_path / "ha" / "jobs").parent


def test_a_job_that_ended_while_its_storage_was_away_does_not_run_again(
    storage: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    end_while_storage_is_away(storage, own)
    with jobmanager(storage, own, 3) as second:
        ended: list[DispatchedJob] = []
        second.on_ended = ended.append
        in_the_way = storage / "jobs" / f"{JOB}.0000000003.latest"
        in_the_way.mkdir()
        [arriving] = second.take_up_again()
        wait_for(lambda: arriving.failure)
        with pytest.raises(JobArrives, match="it has ended, and is still noted as one that runs"):
            second.job(JOB)
        in_the_way.rmdir()
        wait_for(second.jobs)
        job = second.job(JOB)
        wait_for(lambda: ended)
        assert (job.status, job.is_over, job.job.status()) == (JobStatus.CANCELED, True, JobStatus.CANCELED)
        assert job.ended_at_ms and job.started_at_ms <= job.ended_at_ms
        assert job_line(job)["name"] == "Flink Streaming Job" and job_detail(job)["state"] == "CANCELED"
        wait_for(lambda: not list((own / "results").iterdir()))
        assert not list((storage / "jobs").glob("*.job"))


def test_the_note_of_an_end_does_not_count_where_another_has_led_since(storage: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    end_while_storage_is_away(storage, own)
    with jobmanager(storage, own, 4) as third:
        third.take_up_again()
        wait_for(third.jobs)
        assert third.job(JOB).job.recovery().restarts == 1
        assert not list((own / "results").iterdir())
        third.cancel(JOB)
        wait_for(lambda: third.job(JOB).is_over)


def test_another_job_of_the_id_of_one_that_has_ended_is_not_taken_for_it(
    storage: Path, tmp_path: Path
) -> None:
    own, content = tmp_path / "own", (storage / "jobs" / f"{JOB}.job").read_bytes()
    end_while_storage_is_away(storage, own)
    (storage / "jobs" / f"{JOB}.job").unlink()
    with jobmanager(storage, own, 3) as second:
        second.take_up_again()
        assert not list((own / "results").iterdir())
        second.submit(content)
    with jobmanager(storage, own, 4) as third:
        third.take_up_again()
        wait_for(third.jobs)
        third.cancel(JOB)
        wait_for(lambda: third.job(JOB).is_over)
