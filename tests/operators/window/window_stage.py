"""Where a window operator plays alone, with keyed state, timers and a clock of its own."""

import pickle
from collections.abc import Iterable
from functools import partial
from typing import Any

from penstock.clock import ManualClock
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.timers import Timers
from penstock.data.batch import RowBatch
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import Operator, OperatorContext, Output
from penstock.operators.window.spec import WindowSpec
from penstock.runtime.task.timekeeping import DueCalls
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.timers import KeyedTimers

MAX_PARALLELISM = 128
LATE = OutputTag("late")
SIDE = OutputTag("side")

Record = tuple[Any, Any, int | None]
"""Key, value, timestamp."""

Row = tuple[Any, int | None]
"""Value, timestamp."""


class WindowStage:
    """Gives records and time to the operator of a spec, and keeps what comes out in ``rows``, ``sides`` and ``watermarks``.

    ``kind`` chooses the operator; without it the spec does. ``restores``: after each step everything is saved, pickled, and
    taken over by a new operator.
    """

    def __init__(
        self,
        spec: WindowSpec,
        kind: type[Operator] | None = None,
        batch_mode: bool = False,
        restores: bool = False,
    ) -> None:
        self.spec = spec
        self.kind = kind
        self.batch_mode = batch_mode
        self.restores = restores
        self.clock = ManualClock()
        self.time = DueCalls(self.clock)
        self.rows: list[Row] = []
        self.sides: dict[str, list[Row]] = {"late": [], "side": []}
        self.watermarks: list[int] = []
        self._make(None)

    def _make(self, saved: Any) -> None:
        self.backend = HashMapStateBackend(MAX_PARALLELISM, clock=self.clock)
        self.timers: dict[str, KeyedTimers] = {}
        self.metrics = MetricGroup(("windows",))
        self._saved_timers = {} if saved is None else saved["timers"]
        context = OperatorContext(
            job_id="job",
            operator_id="windows",
            name="Windows",
            origin=None,
            subtask_index=0,
            parallelism=1,
            max_parallelism=MAX_PARALLELISM,
            attempt=0,
            batch_mode=self.batch_mode,
            clock=self.clock,
            processing_time=self.time,
            metrics=self.metrics,
            settings={},
            output=Output(self._take, self.watermarks.append, lambda status: None, self._sides()),
            keyed_state=self.backend,
            make_timers=self._make_timers,
        )
        build = self.spec.build if self.kind is None else partial(self.kind, self.spec)  # type: ignore[arg-type]
        self.operator: Operator = build(context)
        if saved is not None:
            self.backend.restore([saved["keyed"]], range(MAX_PARALLELISM))
            self.operator.restore(saved["own"])
        self.operator.open()
        self.operator.start()

    def _make_timers(self, name: str) -> Timers:
        timers = self.timers[name] = KeyedTimers(name, MAX_PARALLELISM)
        if name in self._saved_timers:
            timers.restore([self._saved_timers[name]], range(MAX_PARALLELISM))
        return timers

    def _sides(self) -> dict[str, Any]:
        return {
            tag_id: lambda batch, rows=rows: rows.extend(_rows(batch)) for tag_id, rows in self.sides.items()
        }

    def _take(self, batch: RowBatch) -> None:
        self.rows.extend(_rows(batch))

    def give(self, records: Iterable[Record]) -> None:
        """One batch."""
        records = list(records)
        timestamps = [record[2] for record in records]
        self.operator.on_batch(
            RowBatch(
                [record[1] for record in records],
                None if None in timestamps else timestamps,  # type: ignore[arg-type]
                [record[0] for record in records],
            ),
            0,
        )
        self._maybe_restore()

    def watermark(self, timestamp: int) -> None:
        self.operator.on_watermark(timestamp)
        self._maybe_restore()

    def advance_clock(self, ms: int) -> None:
        self.clock.advance(ms)
        self.time.fire()
        self._maybe_restore()

    def end_key(self, key: Any) -> None:
        self.operator.end_key(key)

    def _maybe_restore(self) -> None:
        if self.restores:
            self.restore()

    def restore(self) -> None:
        """Save everything, and go on in a new operator."""
        saved = pickle.dumps(
            {
                "keyed": self.backend.snapshot(),
                "timers": {name: timers.snapshot() for name, timers in self.timers.items()},
                "own": self.operator.snapshot(1),
            }
        )
        self.operator.close()
        self._make(pickle.loads(saved))

    def take_rows(self) -> list[Row]:
        """What has come out since the last call."""
        rows, self.rows = self.rows, []
        return rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, neither state nor a timer."""
        return not any(list(state.chunks()) for state in self.backend.snapshot().states.values()) and not any(
            len(timers.event_time) + len(timers.processing_time) for timers in self.timers.values()
        )


def _rows(batch: RowBatch) -> list[Row]:
    timestamps = batch.timestamps or [None] * len(batch.values)
    return list(zip(batch.values, timestamps, strict=True))
