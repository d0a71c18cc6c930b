"""Files of a sink whose job fails and goes on: each record is visible exactly once, and nothing is left over."""

import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.clock import Clock, ManualClock
from penstock.connectors.files.compaction import FileCompactor, FileCompactStrategy
from penstock.connectors.files.layout import BucketAssigner, BucketContext, RollingPolicy
from penstock.connectors.files.sink import FileSink
from penstock.contracts.serialization import Encoder
from penstock.errors import OutsideError
from penstock.metrics.kinds import MetricGroup
from penstock.runtime.task.timekeeping import DueCalls
from tests.connectors.sinking import ForRecord


class ByRemainder(BucketAssigner):
    def get_bucket_id(self, element: Any, context: BucketContext) -> str:
        return f"remainder={element % 3}"


@dataclass
class ForAttempt:
    """What a writer is given when it is made."""

    index: int = 0
    parallelism: int = 1
    attempt: int = 0
    checkpoint: int | None = None
    job: str = "job"
    timers: DueCalls = field(default_factory=lambda: DueCalls(ManualClock(77)))

    def index_of_subtask(self) -> int:
        return self.index

    def number_of_parallel_subtasks(self) -> int:
        return self.parallelism

    def attempt_number(self) -> int:
        return self.attempt

    def job_id(self) -> str:
        return self.job

    def operator_id(self) -> str:
        return "operator"

    def restored_checkpoint_id(self) -> int | None:
        return self.checkpoint

    def configuration(self) -> dict[str, str]:
        return {}

    def metric_group(self) -> MetricGroup:
        return MetricGroup()

    def clock(self) -> Clock:
        return self.timers.clock

    def register_timer(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        return self.timers.schedule(at_ms, callback)


@dataclass
class Checkpoint:
    """What a completed or a pending checkpoint holds: the records before it, states, and committables."""

    number: int
    records: int
    states: list[Any]
    committables: list[Any]


class Job:
    """The protocol of the engine around the writers of a sink, with failures wherever a test wants them."""

    def __init__(self, sink: FileSink, folder: Path, parallelism: int = 1) -> None:
        self.sink = sink
        self.folder = folder
        self.parallelism = parallelism
        self.written = 0
        self.attempt = 0
        self.checkpoints = 0
        self.complete: Checkpoint | None = None
        self.clock = ManualClock(77)
        self.start([])

    def start(self, states: list[Any]) -> None:
        checkpoint = None if self.complete is None else self.complete.number
        self.writers: list[Any] = []
        self.timers = DueCalls(self.clock)
        for index in range(self.parallelism):
            context: Any = ForAttempt(index, self.parallelism, self.attempt, checkpoint, timers=self.timers)
            mine = states[index :: self.parallelism]
            made = (
                self.sink.create_writer(context)
                if self.complete is None
                else self.sink.restore_writer(context, mine)
            )
            self.writers.append(made)

    def write(self, count: int) -> None:
        for number in range(self.written, self.written + count):
            self.writers[number % self.parallelism].write_batch([number], None, ForRecord())
            self.clock.advance(1)
            self.timers.fire()
        self.written += count

    def prepare(self) -> Checkpoint:
        self.checkpoints += 1
        states: list[Any] = []
        committables: list[Any] = []
        for writer in self.writers:
            writer.flush(False)
            committables += writer.prepare_commit()
            states += writer.snapshot_state(self.checkpoints)
        return pickle.loads(pickle.dumps(Checkpoint(self.checkpoints, self.written, states, committables)))

    def finish_checkpoint(self, checkpoint: Checkpoint, commits: bool = True) -> None:
        if self.complete is not None:
            checkpoint.committables = self.complete.committables + checkpoint.committables
        self.complete = checkpoint
        if commits:
            self.commit()
            checkpoint.committables = []

    def commit(self) -> None:
        if self.complete is not None:
            assert self.sink.create_committer().commit(self.complete.committables) == []

    def fail(self, parallelism: int, closes: bool) -> None:
        for writer in self.writers if closes else ():
            writer.close()
        self.attempt += 1
        self.parallelism = parallelism
        self.written = 0 if self.complete is None else self.complete.records
        self.commit()
        self.start([] if self.complete is None else self.complete.states)

    def end(self) -> None:
        committables: list[Any] = []
        for writer in self.writers:
            writer.flush(True)
            committables += writer.prepare_commit()
            writer.close()
        self.commit()
        for _ in range(2):
            self.sink.create_committer().commit(committables)

    def visible(self) -> list[int]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name[0] != ".")
        return sorted(int(line) for path in files for line in path.read_text().split())

    def hidden(self) -> list[str]:
        return [path.name for path in self.folder.rglob(".*")]


POLICIES = [
    RollingPolicy.on_checkpoint_rolling_policy(),
    RollingPolicy.default_rolling_policy(),
    RollingPolicy.default_rolling_policy(part_size=12),
    RollingPolicy.default_rolling_policy(rollover_interval=4, inactivity_interval=2),
]


def sink_of(folder: Path, policy: RollingPolicy, strategy: FileCompactStrategy | None = None) -> FileSink:
    builder = FileSink.for_row_format(str(folder), Encoder.simple_string_encoder())
    builder.with_bucket_assigner(ByRemainder()).with_rolling_policy(policy).with_bucket_check_interval(3)
    if strategy is not None:
        builder.enable_compact(strategy, FileCompactor.concat_file_compactor())
    return builder.build()


STRATEGIES = [
    None,
    FileCompactStrategy.builder().enable_compaction_on_checkpoint(2).build(),
    FileCompactStrategy.builder().set_size_threshold(20).build(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=["each", "two-checkpoints", "20-bytes"])
@pytest.mark.parametrize("policy", POLICIES, ids=["at-checkpoints", "default", "12-bytes", "age-and-silence"])
def test_each_record_is_visible_once_after_failures_at_random_moments(
    policy: RollingPolicy, strategy: FileCompactStrategy | None, tmp_path: Path
) -> None:
    for seed in range(3):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        job = Job(sink_of(folder, policy, strategy), folder, chance.randint(1, 3))
        for _ in range(25):
            match chance.choice(["write", "write", "checkpoint", "uncommitted", "given up", "fail"]):
                case "write":
                    job.write(chance.randint(1, 20))
                case "checkpoint":
                    job.finish_checkpoint(job.prepare())
                case "uncommitted":
                    job.finish_checkpoint(job.prepare(), commits=False)
                    job.fail(chance.randint(1, 3), chance.random() < 0.5)
                case "given up":
                    job.prepare()
                    job.fail(job.parallelism, chance.random() < 0.5)
                case _:
                    job.fail(chance.randint(1, 3), chance.random() < 0.5)
            seen = job.visible()
            assert len(seen) == len(set(seen)), f"seed {seed}: a record is visible twice"
        job.end()
        assert job.visible() == list(range(job.written)), f"seed {seed}"
        assert job.hidden() == [], f"seed {seed}: left over"


def test_a_file_that_was_being_written_is_cut_and_continued(tmp_path: Path) -> None:
    job = Job(sink_of(tmp_path, RollingPolicy.default_rolling_policy()), tmp_path)
    job.write(3)
    job.finish_checkpoint(job.prepare())
    (name, *_) = sorted(job.hidden())
    job.write(3)
    job.fail(1, closes=False)
    assert name in job.hidden()
    job.write(3)
    job.end()
    assert job.visible() == [0, 1, 2, 3, 4, 5]
    assert len(list(tmp_path.rglob("part-*"))) == 3


def test_files_in_progress_are_named_as_in_flink(tmp_path: Path) -> None:
    job = Job(sink_of(tmp_path, RollingPolicy.default_rolling_policy()), tmp_path)
    job.write(1)
    (path,) = (tmp_path / "remainder=0").iterdir()
    assert path.name.startswith(".part-") and ".inprogress." in path.name


def test_a_file_that_became_visible_later_than_the_restored_checkpoint_is_not_continued(
    tmp_path: Path,
) -> None:
    job = Job(sink_of(tmp_path, RollingPolicy.default_rolling_policy(part_size=4)), tmp_path)
    job.write(1)
    early = job.prepare()
    job.finish_checkpoint(early)
    job.write(3)
    job.write(3)
    job.finish_checkpoint(job.prepare())
    job.complete = early
    with pytest.raises(OutsideError, match=r"cannot be continued: .*restore the newest checkpoint"):
        job.fail(1, closes=True)


def test_another_sink_of_the_same_directory_keeps_its_files(tmp_path: Path) -> None:
    sink = sink_of(tmp_path, RollingPolicy.default_rolling_policy())
    other: Any = ForAttempt(job="another")
    writer = sink.create_writer(other)
    writer.write(0, ForRecord())
    job = Job(sink, tmp_path)
    job.fail(1, closes=False)
    job.end()
    assert len(job.hidden()) == 1
