"""Savepoints of whole jobs: taken while they run, as their end, and gone on from at another parallelism."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.manifest import read_manifest
from penstock.common import Types, WatermarkStrategy
from penstock.dataflow.recovery import CheckpointState
from penstock.dataflow.submission import JobStatus
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import KeyedProcessFunction, RuntimeContext
from penstock.datastream.job_client import JobClient
from penstock.datastream.state import ValueStateDescriptor
from penstock.errors import JobCancelled, PenstockError, StateError
from penstock.testing import CollectingSink, EmitWatermark, ScriptedSource

WAIT_S = 120


class Counts(KeyedProcessFunction):
    """Counts the records of each key."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self._count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def process_element(self, value: int, ctx: KeyedProcessFunction.Context) -> Any:
        count = (self._count.value() or 0) + 1
        self._count.update(count)
        ctx.timer_service().register_event_time_timer(1_000_000)
        yield value, count

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        yield "timer", ctx.get_current_key()


class Program:
    """The numbers 0 to 9, a few rounds, and then silence; counted by key."""

    def __init__(
        self,
        parallelism: int = 1,
        rounds: int = 3,
        bounded: bool = False,
        uid: str = "counts",
        key: Callable[[int], Any] = lambda number: number,
        key_type: Any = None,
    ) -> None:
        self.sink = CollectingSink()
        self.env = StreamExecutionEnvironment.get_execution_environment()
        self.env.set_parallelism(parallelism)
        items = [EmitWatermark(500), *range(10)] + [*range(10)] * (rounds - 1)
        source = ScriptedSource(items, bounded=bounded, records_per_batch=10)
        stream = self.env.from_source(source, WatermarkStrategy.no_watermarks(), "script").uid("source")
        counted = stream.key_by(key, key_type).process(Counts()).uid(uid)
        counted.sink_to(self.sink).uid("sink")

    def starting_from(self, path: str, **options: str) -> "Program":
        configuration = self.env.get_configuration()
        configuration.set_string("execution.state-recovery.path", path)
        for key, value in options.items():
            configuration.set_string(f"execution.state-recovery.{key.replace('_', '-')}", value)
        return self

    def started(self, rows: int = 30) -> JobClient:
        """The job in the background, once so many of its records have come through."""
        client = self.env.execute_async()
        while len(self.sink.records) < rows:
            if client.get_job_status().result().is_globally_terminal_state():
                raise AssertionError("the job ended by itself")
        return client

    def rows(self) -> list[Any]:
        return sorted(row for row in self.sink.records if row[0] != "timer")

    def timers(self) -> list[Any]:
        return sorted(row for row in self.sink.records if row[0] == "timer")


def completed_behind(client: JobClient, number: int) -> int:
    """The number of a checkpoint that is complete, and newer than that."""
    while True:
        for each in client.get_checkpoints():
            if each.state is CheckpointState.COMPLETED and each.checkpoint_id > number:
                return each.checkpoint_id


FIRST = sorted((number, count) for number in range(10) for count in (1, 2, 3))


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_job_goes_on_while_a_savepoint_is_taken(parallelism: int, tmp_path: Path) -> None:
    client = Program(parallelism).started()
    path = client.trigger_savepoint(str(tmp_path)).result(WAIT_S)
    assert client.get_job_status().result() is JobStatus.RUNNING
    assert Path(path).name.startswith(f"savepoint-{str(client.get_job_id())[:6]}-")
    assert (Path(path) / "_metadata").is_file()
    assert [(each.state, each.path) for each in client.get_checkpoints()] == [
        (CheckpointState.COMPLETED, path)
    ]
    client.cancel().result(WAIT_S)
    assert (Path(path) / "_metadata").is_file()


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, 1), (1, 2), pytest.param(2, 3, marks=pytest.mark.slow), pytest.param(3, 1, marks=pytest.mark.slow)],
)
def test_a_stopped_job_goes_on_at_another_parallelism(before: int, after: int, tmp_path: Path) -> None:
    client = Program(before).started()
    path = client.stop_with_savepoint(False, str(tmp_path)).result(WAIT_S)
    client.get_job_execution_result().result(WAIT_S)
    assert client.get_job_status().result() is JobStatus.FINISHED
    moved = str(tmp_path / "moved")
    shutil.move(path, moved)
    second = Program(after, rounds=5, bounded=True).starting_from(moved)
    result = second.env.execute()
    assert second.rows() == sorted((number, count) for number in range(10) for count in (4, 5))
    assert result.get_recovery().restored_checkpoint == 1
    assert (Path(moved) / "_metadata").is_file()


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_job_stopped_without_draining_fires_no_timers(parallelism: int, tmp_path: Path) -> None:
    program = Program(parallelism)
    client = program.started()
    client.stop_with_savepoint(False, str(tmp_path)).result(WAIT_S)
    client.get_job_execution_result().result(WAIT_S)
    assert sorted(program.sink.records) == FIRST


@pytest.mark.parametrize("parallelism", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_drained_job_fires_its_timers_before_its_savepoint(parallelism: int, tmp_path: Path) -> None:
    program = Program(parallelism)
    client = program.started()
    path = client.stop_with_savepoint(True, str(tmp_path)).result(WAIT_S)
    client.get_job_execution_result().result(WAIT_S)
    assert program.timers() == [("timer", n) for n in range(10)]
    second = Program(rounds=5, bounded=True).starting_from(path)
    second.env.execute()
    assert second.rows() == sorted((number, count) for number in range(10) for count in (4, 5))


def test_a_job_whose_savepoint_fails_after_its_sources_have_ended_goes_back_to_its_last_checkpoint(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("in the way")
    program = Program()
    program.env.configure(
        {
            "execution.checkpointing.interval": "10 ms",
            "execution.checkpointing.dir": str(tmp_path / "checkpoints"),
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.delay": "1 ms",
        }
    )
    client = program.started()
    number = completed_behind(client, 0)
    with pytest.raises(PenstockError, match="cannot be written"):
        client.stop_with_savepoint(True, str(tmp_path / "file")).result(WAIT_S)
    failed = client.get_checkpoints()[-1].checkpoint_id
    completed_behind(client, failed)
    path = client.stop_with_savepoint(False, str(tmp_path)).result(WAIT_S)
    recovery = client.get_job_execution_result().result(WAIT_S).get_recovery()
    assert recovery.restarts == 1
    assert recovery.restored_checkpoint >= number
    assert "to come to the end of its input before, but the savepoint failed" in recovery.failures[0]
    second = Program(rounds=5, bounded=True).starting_from(path)
    second.env.execute()
    assert second.rows() == sorted((number, count) for number in range(10) for count in (4, 5))
    assert second.timers() == [("timer", n) for n in range(10)], "those that fired before did so for nothing"


def test_a_job_is_cancelled_once_its_savepoint_is_complete(tmp_path: Path) -> None:
    client = Program().started()
    path = client.cancel_with_savepoint(str(tmp_path)).result(WAIT_S)
    with pytest.raises(JobCancelled):
        client.get_job_execution_result().result(WAIT_S)
    assert (Path(path) / "_metadata").is_file()


def test_a_savepoint_without_a_directory_is_refused_and_the_job_goes_on() -> None:
    client = Program().started()
    with pytest.raises(PenstockError, match=r"set execution\.checkpointing\.savepoint-dir"):
        client.trigger_savepoint().result(WAIT_S)
    assert client.get_job_status().result() is JobStatus.RUNNING
    client.cancel().result(WAIT_S)


def test_a_savepoint_that_cannot_be_written_says_so_and_the_job_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    client = Program().started()
    with pytest.raises(PenstockError, match="cannot be written"):
        client.trigger_savepoint(str(tmp_path / "file")).result(WAIT_S)
    assert client.get_job_status().result() is JobStatus.RUNNING
    client.cancel().result(WAIT_S)


@pytest.fixture
def savepoint(tmp_path: Path) -> str:
    client = Program().started()
    path: str = client.cancel_with_savepoint(str(tmp_path)).result(WAIT_S)
    return path


def test_state_of_an_operator_that_is_gone_is_named_before_anything_runs(savepoint: str) -> None:
    changed = Program(uid="renamed", bounded=True, rounds=5).starting_from(savepoint)
    with pytest.raises(StateError, match=r"cannot go on from .*\n.*state of an operator .*does not have"):
        changed.env.execute()
    assert changed.sink.records == []


def test_keys_that_are_declared_as_something_else_are_told_before_anything_runs(savepoint: str) -> None:
    changed = Program(bounded=True, rounds=5, key=str, key_type=Types.STRING()).starting_from(savepoint)
    with pytest.raises(
        StateError, match="saved with keys of type int64, and they are declared as String now"
    ):
        changed.env.execute()
    assert changed.sink.records == []
    wider = Program(bounded=True, rounds=5, key=float, key_type=Types.DOUBLE()).starting_from(savepoint)
    wider.env.execute()  # equal numbers are one key
    assert wider.rows() == sorted((number, count) for number in range(10) for count in (4, 5))


def test_state_of_an_operator_that_is_gone_may_be_left_behind(savepoint: str) -> None:
    changed = Program(uid="renamed", bounded=True, rounds=5)
    changed.starting_from(savepoint, ignore_unclaimed_state="true").env.execute()
    assert changed.rows() == sorted((number, count) for number in range(10) for count in (1, 2))


def test_another_maximum_parallelism_is_refused(savepoint: str) -> None:
    changed = Program(bounded=True, rounds=5).starting_from(savepoint)
    changed.env.set_max_parallelism(64)
    with pytest.raises(StateError, match="maximum parallelism of 128 and now has 64"):
        changed.env.execute()


@pytest.mark.parametrize("backend", ["hashmap", "rocksdb"])
@pytest.mark.parametrize("parallelism", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_job_that_sets_no_maximum_parallelism_has_that_of_its_savepoint(
    parallelism: int, backend: str, tmp_path: Path
) -> None:
    first = Program()
    first.env.set_max_parallelism(24)
    path = first.started().stop_with_savepoint(False, str(tmp_path)).result(WAIT_S)
    second = Program(parallelism, rounds=5).starting_from(path)
    second.env.get_configuration().set_string("state.backend.type", backend)
    client = second.started(rows=20)
    again = client.stop_with_savepoint(True, str(tmp_path)).result(WAIT_S)
    assert second.rows() == sorted((number, count) for number in range(10) for count in (4, 5))
    assert second.timers() == [("timer", number) for number in range(10)]
    saved, _ = read_manifest(again)
    assert {record.max_parallelism for record in saved.operators.values()} == {24}


def test_a_parallelism_above_the_maximum_of_the_savepoint_is_refused(tmp_path: Path) -> None:
    first = Program()
    first.env.set_max_parallelism(24)
    path = first.started().stop_with_savepoint(False, str(tmp_path)).result(WAIT_S)
    with pytest.raises(StateError, match=r"of 24 and now has parallelism 25.* a parallelism of at most 24"):
        Program(25).starting_from(path).env.execute()


def test_a_savepoint_of_a_newer_format_is_refused(savepoint: str) -> None:
    metadata = Path(savepoint) / "_metadata"
    metadata.write_bytes(
        metadata.read_bytes().replace(b"penstock-checkpoint 1", b"penstock-checkpoint 99", 1)
    )
    with pytest.raises(StateError, match="format version 99"):
        Program(bounded=True).starting_from(savepoint).env.execute()


def test_an_altered_manifest_is_refused(savepoint: str) -> None:
    metadata = Path(savepoint) / "_metadata"
    metadata.write_bytes(metadata.read_bytes()[:-10])
    with pytest.raises(StateError, match="was altered or cut off"):
        Program(bounded=True).starting_from(savepoint).env.execute()
