"""A sink for targets without transactions."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.common import Configuration
from penstock.connectors.functions.write_ahead import CheckpointCommitter, GenericWriteAheadSink, KeptRecords
from penstock.environment import StreamExecutionEnvironment
from tests.connectors.sinking import ForRecord, ForWriter


class IntoFile(GenericWriteAheadSink):
    """Appends to a file, which no transaction takes back."""

    def __init__(self, path: Path, committer: CheckpointCommitter | None = None, refuses: int = 0) -> None:
        super().__init__(committer)
        self.path = path
        self.refuses = refuses

    def send_values(self, values: list[Any], checkpoint_id: int, timestamp: int) -> bool:
        if self.refuses:
            self.refuses -= 1
            return False
        with self.path.open("a") as file:
            file.writelines(f"{value}\n" for value in values)
        return True


class InSqlite(CheckpointCommitter):
    def __init__(self, path: Path) -> None:
        self.path = path

    def create_resource(self) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("create table if not exists sent (subtask int, checkpoint_id int)")

    def commit_checkpoint(self, subtask: int, checkpoint_id: int) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("insert into sent values (?, ?)", (subtask, checkpoint_id))

    def is_checkpoint_committed(self, subtask: int, checkpoint_id: int) -> bool:
        with sqlite3.connect(self.path) as database:
            found = database.execute(
                "select 1 from sent where subtask = ? and checkpoint_id = ?", (subtask, checkpoint_id)
            )
            return found.fetchone() is not None


class FailsOnce:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self, number: int) -> int:
        if number == 12_000 and not self.mark.exists():
            self.mark.touch()
            raise RuntimeError("on purpose")
        return number


def kept_of(sink: IntoFile, *values: Any) -> list[KeptRecords]:
    writer = sink.create_writer(ForWriter())
    writer.write_batch(list(values), None, ForRecord())
    return writer.prepare_commit()


def test_nothing_is_sent_before_the_commit(tmp_path: Path) -> None:
    sink = IntoFile(tmp_path / "sent")
    kept = kept_of(sink, 1, 2)
    assert not sink.path.exists()
    assert sink.create_committer().commit(kept) == []
    assert sink.path.read_text() == "1\n2\n"


def test_what_was_sent_is_not_sent_again_where_that_is_remembered(tmp_path: Path) -> None:
    sink = IntoFile(tmp_path / "sent", InSqlite(tmp_path / "db"))
    kept = kept_of(sink, 1, 2)
    for _ in range(2):
        assert sink.create_committer().commit(kept) == []
    assert sink.path.read_text() == "1\n2\n"


def test_what_the_target_refuses_is_sent_later_and_in_order(tmp_path: Path) -> None:
    sink = IntoFile(tmp_path / "sent", refuses=1)
    writer = sink.create_writer(ForWriter())
    kept: list[Any] = []
    for value in (1, 2):
        writer.write(value, ForRecord())
        kept += writer.prepare_commit()
    committer = sink.create_committer()
    assert committer.commit(kept) == kept
    assert committer.commit(kept) == []
    assert sink.path.read_text() == "1\n2\n"


def test_numbers_go_on_after_a_restore(tmp_path: Path) -> None:
    sink = IntoFile(tmp_path / "sent")
    writer = sink.create_writer(ForWriter())
    writer.write(1, ForRecord())
    assert [kept.number for kept in writer.prepare_commit()] == [77]
    again = sink.restore_writer(ForWriter(), writer.snapshot_state(1))
    again.write(2, ForRecord())
    assert [kept.number for kept in again.prepare_commit()] == [78]


class ByJob(InSqlite):
    """Remembers by job, as several share the target."""

    def create_resource(self) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("create table if not exists sent (job text, subtask int, checkpoint_id int)")

    def open(self) -> None:
        assert not hasattr(self, "database")
        self.database = sqlite3.connect(self.path)

    def close(self) -> None:
        self.database.close()
        del self.database

    def commit_checkpoint(self, subtask: int, checkpoint_id: int) -> None:
        with self.database:
            self.database.execute("insert into sent values (?, ?, ?)", (self.job_id, subtask, checkpoint_id))

    def is_checkpoint_committed(self, subtask: int, checkpoint_id: int) -> bool:
        rows = self.database.execute("select * from sent").fetchall()
        return (self.job_id, subtask, checkpoint_id) in rows


def test_a_job_that_goes_on_from_anothers_savepoint_remembers_its_own_under_its_own_name(
    tmp_path: Path,
) -> None:
    sink = IntoFile(tmp_path / "sent", ByJob(tmp_path / "db"))
    of_the_first = [replace(kept, job_id="the first") for kept in kept_of(sink, 1)]
    own = [replace(kept, number=kept.number + 1) for kept in kept_of(sink, 2)]
    committer = sink.create_committer()
    assert committer.commit([*of_the_first, *own]) == []
    committer.close()
    again = sink.create_committer()
    assert again.commit(own) == []
    again.close()
    assert sink.path.read_text() == "1\n2\n"
    with sqlite3.connect(tmp_path / "db") as database:
        assert database.execute("select job from sent").fetchall() == [("the first",), ("job",)]


def test_each_record_of_a_job_that_fails_is_sent_once(tmp_path: Path) -> None:
    settings = {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.delay": "1 ms",
        "execution.checkpointing.interval": "10 ms",
    }
    env = StreamExecutionEnvironment.get_execution_environment(Configuration.from_dict(settings))
    sink = IntoFile(tmp_path / "sent", InSqlite(tmp_path / "db"))
    env.from_sequence(1, 20_000).map(FailsOnce(tmp_path / "failed")).sink_to(sink)
    env.execute()
    assert (tmp_path / "failed").exists()
    assert sorted(map(int, sink.path.read_text().split())) == list(range(1, 20_001))
