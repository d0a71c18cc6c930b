"""Checkpoint storage that fails, is altered, or is shared: what the job says and does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.chance import seeded
from penstock.checkpoint.part_files import SHORT_BYTES
from penstock.common import Types
from penstock.contracts.sink import (
    Committer,
    CommittingSinkWriter,
    Sink,
    SinkWriter,
    SinkWriterContext,
    WriterInitContext,
)
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.functions import KeyedProcessFunction, RuntimeContext
from penstock.datastream.state import ValueStateDescriptor
from penstock.errors import JobFailed
from tests.checkpoint.parts import Part
from tests.recovery.test_jobs_start_again import EXPECTED, counted, environment, rows_of, script

FAR = 10**15


class Spoils(KeyedProcessFunction):
    """Passes on; once there are three complete checkpoints it does something to them and fails."""

    def __init__(self, spoil: Callable[[Path], None], folder: Path, marker: Path) -> None:
        self._spoil = spoil
        self._folder = folder
        self._marker = marker

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        ctx.timer_service().register_event_time_timer(FAR)
        if value[0] == 9 and not self._marker.exists() and len(complete(self._folder)) >= 3:
            self._marker.touch()
            self._spoil(self._folder)
            raise ValueError("on purpose")
        yield value

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Any:
        return ()


def run(tmp_path: Path, spoil: Callable[[Path], None]) -> list[Any]:
    """A job whose checkpoints are spoiled before it fails."""
    env = environment(1, tmp_path, **{"execution.checkpointing.num-retained": "4"})
    stream = counted(env, script(tmp_path, pause_ms=20)).key_by(lambda pair: pair[0])
    return rows_of(stream.process(Spoils(spoil, tmp_path / "checkpoints", tmp_path / "spoiled")))


def complete(folder: Path) -> list[Path]:
    """The complete checkpoints, the newest first. The newest may be one that the coordinator has not taken notice of."""
    found = [path.parent for path in folder.glob("*/chk-*/_metadata")]
    return sorted(found, key=lambda path: -int(path.name.removeprefix("chk-")))


def cut(checkpoints: list[Path], names: str = "*") -> None:
    for file in (file for checkpoint in checkpoints for file in checkpoint.glob(names)):
        if file.name != "_metadata":
            file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.parametrize("names", ["*", "*user-timers*"])
def test_a_job_goes_back_to_the_checkpoint_before_one_that_was_altered(
    names: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def cut_newest(folder: Path) -> None:
        assert any(list(checkpoint.glob(names)) for checkpoint in complete(folder)[:2])
        cut(complete(folder)[:2], names)

    for again in range(5):  # one that was being written may be complete before the job fails, and is whole
        folder = tmp_path / str(again)
        folder.mkdir()
        assert set(run(folder, cut_newest)) == set(EXPECTED)
        if "so the job goes back to checkpoint" in caplog.text:
            return
    pytest.fail(f"the job never goes back to the checkpoint before: {caplog.text}")


class CommitsParts(Sink):
    """Has a long committable with each checkpoint, whose content is read when it is committed."""

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return WritesParts()

    def create_committer(self) -> Committer:
        return ReadsParts()


class WritesParts(CommittingSinkWriter):
    def write(self, element: Any, context: SinkWriterContext) -> None:
        pass

    def prepare_commit(self) -> list[Any]:
        return [Part(2 * SHORT_BYTES)]


class ReadsParts(Committer):
    def commit(self, committables: list[Any]) -> list[Any]:
        assert all(len(part.whole()) == 2 * SHORT_BYTES for part in committables)
        return []


def test_a_job_goes_back_where_what_is_to_be_committed_again_was_altered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def cut_newest(folder: Path) -> None:
        parts = sorted(folder.glob("*/shared/*.part"), key=lambda part: part.stat().st_mtime_ns)
        for part in parts[-2:]:
            part.write_bytes(part.read_bytes()[:-3])

    for again in range(5):  # as above
        folder = tmp_path / str(again)
        folder.mkdir()
        env = environment(1, folder, **{"execution.checkpointing.num-retained": "4"})
        stream = counted(env, script(folder, pause_ms=20)).key_by(lambda pair: pair[0])
        spoiled = stream.process(Spoils(cut_newest, folder / "checkpoints", folder / "spoiled"))
        spoiled.sink_to(CommitsParts())
        assert set(rows_of(spoiled)) == set(EXPECTED)
        if "so the job goes back to checkpoint" in caplog.text:
            return
    pytest.fail(f"the job never goes back to the checkpoint before: {caplog.text}")


def test_an_altered_file_is_named_with_its_operator_where_no_other_checkpoint_is_kept(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"was altered or cut off: .* it holds the state of operator"):
        run(tmp_path, lambda folder: cut(complete(folder)))


def test_a_file_that_vanished_is_named_with_its_operator(tmp_path: Path) -> None:
    def remove_all(folder: Path) -> None:
        for file in folder.glob("*/chk-*/*"):
            file.unlink()

    with pytest.raises(JobFailed, match=r"there is no file .*it holds the state of operator"):
        run(tmp_path, remove_all)


def test_a_directory_that_cannot_be_written_fails_the_job_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file is in the way")
    env = environment(1, tmp_path, **{"restart-strategy.type": "none"})
    with pytest.raises(JobFailed, match=r"checkpoints.* cannot be written"):
        rows_of(counted(env, script(tmp_path)))


def test_failing_storage_is_tolerated_as_often_as_the_user_says(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file is in the way")
    env = environment(1, tmp_path, **{"execution.checkpointing.tolerable-failed-checkpoints": "1000"})
    assert rows_of(counted(env, script(tmp_path))) == EXPECTED


def test_state_that_is_too_large_for_memory_is_refused_with_a_way_out(tmp_path: Path) -> None:
    env = environment(1, None, **{"restart-strategy.type": "none"})
    pairs = counted(env, script(tmp_path)).map(lambda pair: (pair[0], seeded(pair[0]).randbytes(1_000_000)))
    large = pairs.key_by(lambda pair: pair[0]).reduce(lambda a, b: b)
    with pytest.raises(
        JobFailed, match=r"take 5242880 bytes of each at most; set execution\.checkpointing\.dir"
    ):
        rows_of(large)


class KeepsALock(KeyedProcessFunction):
    """Puts into state what cannot be pickled."""

    def open(self, runtime_context: RuntimeContext) -> None:
        self._state = runtime_context.get_state(ValueStateDescriptor("a lock", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Any:
        import threading

        self._state.update(threading.Lock())
        yield value


def test_a_value_that_cannot_be_saved_is_named_with_its_state_and_key(tmp_path: Path) -> None:
    env = environment(1, tmp_path, **{"restart-strategy.type": "none"})
    stream = counted(env, script(tmp_path)).key_by(lambda pair: pair[0]).process(KeepsALock())
    with pytest.raises(JobFailed, match=r"state 'a lock' cannot be saved: under key \d"):
        rows_of(stream)


def test_two_jobs_keep_apart_in_one_directory(tmp_path: Path) -> None:
    clients = []
    for _ in range(2):
        env: StreamExecutionEnvironment = environment(1, tmp_path)
        counted(env, script(tmp_path)).print()
        clients.append(env.execute_async())
    for client in clients:
        result = client.get_job_execution_result().result(120)
        assert all(each.failure is None or "over" in each.failure for each in result.get_checkpoints())
