"""The progress line of a job that takes long, on an interactive terminal."""

import sys
import threading
from types import TracebackType
from typing import Any

from penstock.clock import monotonic
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.dataflow.submission import RunningJob
from penstock.errors import PenstockError

SILENT_S = 2.0
INTERVAL_S = 1.0


class ProgressLine:
    """Rewrites one line on standard error each second, once the job has run for two: what each source has done."""

    def __init__(self, job: RunningJob) -> None:
        self._job = job
        self._ended = threading.Event()
        self._shown = False
        self._last: tuple[float, dict[str, int]] = (monotonic(), {})
        self._thread = threading.Thread(target=self._run, daemon=True, name="progress")

    def __enter__(self) -> "ProgressLine":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _run(self) -> None:
        wait = SILENT_S
        while not self._ended.wait(wait):
            wait = INTERVAL_S
            line = self._line()
            if line:
                self._shown = True
                sys.stderr.write(f"\r\x1b[K{line}")
                sys.stderr.flush()

    def _line(self) -> str:
        now = monotonic()
        try:
            metrics = self._job.metrics()
        except PenstockError:
            return ""  # a cluster that does not answer now; whoever waits for the result is told
        counts = records_of_sources(metrics)
        then, before = self._last
        self._last = (now, counts)
        rates = {name: (count - before.get(name, 0)) / (now - then) for name, count in counts.items()}
        return line_of(counts, rates, metrics)


def line_of(counts: dict[str, int], rates: dict[str, float], metrics: dict[str, Any]) -> str:
    """What the line says: each source with its watermark; the watermark of the tasks where only they have one.

    >>> line_of({"a": 1200}, {"a": 99.6}, {"Source: a.0.currentOutputWatermark": 7, "Source: a.1.currentOutputWatermark": 5})
    'a: 1,200 records, 100/s, watermark 5'
    >>> line_of({"a": 2}, {"a": 1.0}, {"Timestamps/Watermarks.0.currentOutputWatermark": 9})
    'a: 2 records, 1/s | watermark 9'
    """
    parts = []
    any_source = False
    for name, count in counts.items():
        own = lowest_watermark(metrics, f"Source: {name}.")
        any_source = any_source or own is not None
        parts.append(
            f"{name}: {count:,} records, {max(0.0, rates[name]):,.0f}/s"
            + ("" if own is None else f", watermark {own}")
        )
    others = None if any_source else lowest_watermark(metrics)
    return " | ".join(parts if others is None else [*parts, f"watermark {others}"])


def records_of_sources(metrics: dict[str, Any]) -> dict[str, int]:
    """Records out of each source, summed over its subtasks.

    >>> records_of_sources({"Source: a.0.numRecordsOut": 2, "Source: a.1.numRecordsOut": 3, "Map.0.numRecordsOut": 9})
    {'a': 5}
    """
    counts: dict[str, int] = {}
    for name, value in metrics.items():
        if name.startswith("Source: ") and name.endswith(".numRecordsOut"):
            source = name.removeprefix("Source: ").rsplit(".", 2)[0]
            counts[source] = counts.get(source, 0) + value
    return counts


def lowest_watermark(metrics: dict[str, Any], scope: str = "") -> int | None:
    """The smallest watermark of all operators and tasks in a scope that have one."""
    found = [
        value
        for name, value in metrics.items()
        if name.startswith(scope)
        and name.endswith((".currentInputWatermark", ".currentOutputWatermark"))
        and value is not None
    ]
    found = [value for value in found if MIN_TIMESTAMP < value < MAX_WATERMARK]
    return min(found, default=None)
