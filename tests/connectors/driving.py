"""Drives a source by hand: its enumerator and several readers, with a snapshot and a restore between any two polls."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from penstock.clock import ManualClock
from penstock.contracts.source import InputStatus, Source, SourceReader, SplitEnumerator
from penstock.data.own_copies import copy_or_same
from penstock.metrics.kinds import MetricGroup

PATIENCE_S = 120


@dataclass
class Emitted:
    """What a reader emitted, flat and in order. Signals are kept as ``("watermark", 5)`` and ``("idle",)``."""

    records: list[Any] = field(default_factory=list)
    timestamps: list[int | None] = field(default_factory=list)
    signals: list[tuple[Any, ...]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    columns: list[Any] = field(default_factory=list)
    aside: dict[str, list[Any]] = field(default_factory=dict)
    records_wanted: int = 100_000

    def collect(self, record: Any, timestamp: int | None = None) -> None:
        self.collect_batch([record], None if timestamp is None else [timestamp])

    def collect_batch(self, records: list[Any], timestamps: list[int] | None = None) -> None:
        assert timestamps is None or len(timestamps) == len(records)
        self.records += records
        self.timestamps += timestamps or [None] * len(records)
        self.batches.append(len(records))

    def collect_columns(self, columns: Any) -> None:
        self.columns.append(columns)
        self.records += columns.to_pylist()
        self.batches.append(columns.num_rows)

    def collect_aside(self, tag_id: str, record: Any) -> None:
        self.aside.setdefault(tag_id, []).append(record)

    def emit_watermark(self, watermark: int) -> None:
        self.signals.append(("watermark", watermark, len(self.records)))

    def mark_idle(self) -> None:
        self.signals.append(("idle", len(self.records)))

    def create_output_for_split(self, split_id: str) -> "Emitted":
        return self

    def release_output_for_split(self, split_id: str) -> None:
        pass


@dataclass(frozen=True)
class Checkpoint:
    """A pickled snapshot: the enumerator's, and the splits of all readers."""

    pickled: bytes


class RunningSource:
    """One attempt of a source. ``step(i)`` polls reader ``i`` once."""

    def __init__(
        self,
        source: Source,
        parallelism: int = 1,
        restored: Checkpoint | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.settings = settings or {}
        self.clock = ManualClock(1_000_000)
        self.outputs = [Emitted() for _ in range(parallelism)]
        self.parallelism = parallelism
        self.metrics = [MetricGroup() for _ in range(parallelism)]
        self.status: list[InputStatus] = [InputStatus.MORE_AVAILABLE] * parallelism
        self.woken = [Event() for _ in range(parallelism)]
        self.readers: list[SourceReader] = []
        if restored is None:
            self.enumerator: SplitEnumerator = source.create_enumerator(_ForEnumerator(self))
            splits: list[list[Any]] = [[] for _ in range(parallelism)]
        else:
            state, all_splits = pickle.loads(restored.pickled)
            self.enumerator = source.restore_enumerator(_ForEnumerator(self), state)
            splits = [all_splits[i::parallelism] for i in range(parallelism)]
        self.enumerator.start()
        self.readers = [source.create_reader(_ForReader(self, i)) for i in range(parallelism)]
        for reader, own in zip(self.readers, splits, strict=True):
            if own:
                reader.add_splits(own)
        for i, reader in enumerate(self.readers):
            reader.start()
            self.enumerator.add_reader(i)

    @property
    def records(self) -> list[Any]:
        return [record for output in self.outputs for record in output.records]

    @property
    def unfinished(self) -> list[int]:
        return [i for i, status in enumerate(self.status) if status is not InputStatus.END_OF_INPUT]

    def step(self, index: int) -> InputStatus:
        self.woken[index].clear()
        self.status[index] = self.readers[index].poll_next(self.outputs[index])
        return self.status[index]

    def run(self) -> list[Any]:
        """Poll all readers in turn until they are at their end; waits for wake-ups where nothing else is to do."""
        while self.unfinished:
            for index in self.unfinished:
                if self.step(index) is InputStatus.NOTHING_AVAILABLE and index in self.unfinished:
                    self.wait(index)
        return self.records

    def wait(self, index: int) -> None:
        """After NOTHING_AVAILABLE: until there is something to do for this reader, as the worker does."""
        fileno = self.readers[index].fileno()
        if fileno is not None:
            from select import select

            assert select([fileno], [], [], PATIENCE_S)[0], "nothing came"
        elif self.readers[index].wait_ms() is not None:
            self.clock.advance(self.readers[index].wait_ms() or 0)
        else:
            assert self.woken[index].wait(PATIENCE_S), "nobody woke the reader"

    def run_until(self, enough: Callable[[], bool]) -> None:
        """Poll the first reader until a condition holds."""
        while not enough():
            status = self.step(0)
            assert status is not InputStatus.END_OF_INPUT or enough(), "the source ended too early"
            if status is InputStatus.NOTHING_AVAILABLE and not enough():
                self.wait(0)

    def snapshot(self) -> Checkpoint:
        splits = [
            split
            for i in range(self.parallelism)
            if self.status[i] is not InputStatus.END_OF_INPUT
            for split in self.readers[i].snapshot_state(1)
        ]
        return Checkpoint(pickle.dumps((self.enumerator.snapshot_state(1), splits)))

    def close(self) -> None:
        for reader in self.readers:
            reader.close()
        self.enumerator.close()


@contextmanager
def running(
    source: Source,
    parallelism: int = 1,
    restored: Checkpoint | None = None,
    settings: dict[str, str] | None = None,
) -> Iterator[RunningSource]:
    """A source that is closed at the end."""
    run = RunningSource(source, parallelism, restored, settings)
    try:
        yield run
    finally:
        run.close()


def read_all(source: Source, parallelism: int = 1) -> list[Any]:
    """Every record of a bounded source."""
    with running(source, parallelism) as run:
        return run.run()


def read_with_restore(source: Source, polls: list[int], parallelism: int, later: int) -> list[Any]:
    """Poll the readers named in ``polls``, take a snapshot, go on at parallelism ``later`` from there.

    Returns what was emitted before the snapshot and after the restore. What the first attempt emits after its snapshot is
    lost with it.
    """
    with running(source, parallelism) as first:
        for index in polls:
            if index in first.unfinished:
                first.step(index)
        before = list(first.records)
        checkpoint = first.snapshot()
        for index in first.unfinished:
            first.step(index)
    with running(source, later, checkpoint) as second:
        return before + second.run()


class _ForReader:
    def __init__(self, run: RunningSource, index: int) -> None:
        self._run = run
        self._index = index

    def index_of_subtask(self) -> int:
        return self._index

    def current_parallelism(self) -> int:
        return self._run.parallelism

    def send_split_request(self) -> None:
        self._run.enumerator.handle_split_request(self._index)

    def send_source_event(self, event: Any) -> None:
        self._run.enumerator.handle_source_event(self._index, event)

    def wake_up(self) -> None:
        self._run.woken[self._index].set()

    def metric_group(self) -> MetricGroup:
        return self._run.metrics[self._index]

    def configuration(self) -> dict[str, str]:
        return self._run.settings

    def clock(self) -> ManualClock:
        return self._run.clock

    def apart(self, records: Iterable[Any]) -> Iterable[Any]:
        return map(copy_or_same, records)

    def runtime_context(self) -> Any:
        return RuntimeOf(self._index, self._run.parallelism)


@dataclass(frozen=True)
class RuntimeOf:
    """The part of a runtime context that functions of these tests ask for."""

    index: int
    parallelism: int

    def get_index_of_this_subtask(self) -> int:
        return self.index

    def get_number_of_parallel_subtasks(self) -> int:
        return self.parallelism


class _ForEnumerator:
    def __init__(self, run: RunningSource) -> None:
        self._run = run

    def current_parallelism(self) -> int:
        return self._run.parallelism

    def registered_readers(self) -> list[int]:
        return list(range(len(self._run.readers)))

    def assign_split(self, split: Any, subtask: int) -> None:
        self._run.readers[subtask].add_splits([split])
        self._run.woken[subtask].set()

    def signal_no_more_splits(self, subtask: int) -> None:
        self._run.readers[subtask].notify_no_more_splits()
        self._run.woken[subtask].set()

    def send_event_to_reader(self, subtask: int, event: Any) -> None:
        self._run.readers[subtask].handle_source_event(event)

    def call_async(self, work: Any, then: Any) -> None:
        try:
            found = work()
        except Exception as error:
            then(None, error)
        else:
            then(found, None)

    def call_at_interval(self, work: Any, then: Any, interval_ms: int) -> None:
        self.call_async(work, then)

    def configuration(self) -> dict[str, str]:
        return {}
