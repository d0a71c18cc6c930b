"""The two ends of the latency measurement: a source that keeps a rate, a sink that notes how old each record is."""

import json
import time
from array import array
from pathlib import Path
from typing import Any

from penstock.connectors.collection.source import RangeSplit, divide
from penstock.connectors.splits import SplitAfterSplit, SplitQueue
from penstock.contracts.sink import Sink, SinkWriter, SinkWriterContext, WriterInitContext
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)

# The first second is left out: workers connect, functions are called for the first time.
WARM_UP_S = 1


class SteadySource(Source):
    """``(number, time it was due in ns)``, so many a second for so many seconds, over all readers together."""

    def __init__(self, per_second: int, seconds: int) -> None:
        self._per_second = per_second
        self._seconds = seconds + WARM_UP_S

    def get_boundedness(self) -> Boundedness:
        return Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        count = self._per_second * self._seconds
        return SplitQueue(context, divide(0, count, context.current_parallelism()))

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return SplitQueue(context, state)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _SteadyReader(context, self._per_second / context.current_parallelism())


class _SteadyReader(SplitAfterSplit[RangeSplit]):
    def __init__(self, context: SourceReaderContext, per_second: float) -> None:
        super().__init__(context)
        self._every_ns = int(1e9 / per_second)
        self._first_ns = 0
        self._first = 0

    def begin(self, split: RangeSplit) -> None:
        self._first_ns, self._first = time.monotonic_ns(), split.position

    def read(self, split: RangeSplit, output: ReaderOutput) -> RangeSplit | None:
        due = self._first + (time.monotonic_ns() - self._first_ns) // self._every_ns
        stop = min(split.stop, due)
        if stop > split.position:
            first_ns, every_ns, first = self._first_ns, self._every_ns, self._first
            output.collect_batch(
                [(n, first_ns + (n - first) * every_ns) for n in range(split.position, stop)]
            )
        return RangeSplit(split.name, stop, split.stop) if stop < split.stop else None

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        status = super().poll_next(output)
        return InputStatus.NOTHING_AVAILABLE if status is InputStatus.MORE_AVAILABLE else status

    def wait_ms(self) -> int | None:
        return None if self._current is None else 1


class LatencySink(Sink):
    """Writes what it has noted into a file of the directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        return _LatencyWriter(Path(self._directory) / f"{context.index_of_subtask()}.json")


class _LatencyWriter(SinkWriter):
    def __init__(self, path: Path) -> None:
        self._path = path
        self._late_us = array("q")
        self._rss_mib: list[float] = []
        self._started_s = time.monotonic()
        self._next_look_s = self._started_s + WARM_UP_S

    def write(self, element: Any, context: SinkWriterContext) -> None:
        self._late_us.append((time.monotonic_ns() - element[1]) // 1000)

    def write_batch(
        self, values: list[Any], timestamps: list[int] | None, context: SinkWriterContext
    ) -> None:
        now_ns = time.monotonic_ns()
        now_s = now_ns / 1e9
        if now_s - self._started_s >= WARM_UP_S:
            self._late_us.extend([(now_ns - due_ns) // 1000 for _, due_ns in values])
        if now_s >= self._next_look_s:
            self._next_look_s += 1
            self._rss_mib.append(_resident_mib() - len(self._late_us) * 8 / 2**20)

    def close(self) -> None:
        self._path.write_text(json.dumps({"late_us": list(self._late_us), "rss_mib": self._rss_mib}))


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
