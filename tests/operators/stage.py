"""A stage for one operator: it is built as a task builds it, is given elements, and everything that it emits is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.clock import ManualClock
from penstock.contracts.state import KeyedStateSnapshot, OperatorStateSnapshot
from penstock.contracts.timers import Timers
from penstock.data.batch import Batch, RowBatch
from penstock.data.elements import StreamStatus
from penstock.data.key_groups import key_group_range
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import OperatorContext, OperatorSpec, Output
from penstock.runtime.task.timekeeping import DueCalls
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.operator_lists import InMemoryOperatorState
from penstock.state.timers import KeyedTimers

MAX_PARALLELISM = 16


@dataclass(frozen=True, slots=True)
class Saved:
    """What a checkpoint would hold of the operator."""

    keyed: KeyedStateSnapshot
    operator: OperatorStateSnapshot
    timers: dict[str, Any]
    own: Any


class Stage:
    """One operator of one subtask.

    ``emitted`` holds, in order, ``(value, timestamp or None)`` for records, ``("watermark", w)`` and ``("status", s)``.
    """

    def __init__(
        self,
        spec: OperatorSpec,
        *,
        batch_mode: bool = False,
        settings: dict[str, str] | None = None,
        sides: tuple[str, ...] = (),
        clock: ManualClock | None = None,
        saved: list[Saved] | None = None,
        subtask: tuple[int, int] = (0, 1),
    ) -> None:
        self.spec = spec
        self.clock = clock or ManualClock(1_000)
        self.time = DueCalls(self.clock)
        self.emitted: list[tuple[Any, Any]] = []
        self.aside: dict[str, list[tuple[Any, Any]]] = {tag: [] for tag in sides}
        self.key_groups = key_group_range(MAX_PARALLELISM, subtask[1], subtask[0])
        self.keyed_state = HashMapStateBackend(MAX_PARALLELISM, self.key_groups, self.clock)
        self.operator_state = InMemoryOperatorState()
        self.timers: dict[str, KeyedTimers] = {}
        self._saved = saved or []
        output = Output(
            self._keep(self.emitted),
            lambda watermark: self.emitted.append(("watermark", watermark)),
            lambda status: self.emitted.append(("status", status)),
            {tag: self._keep(kept) for tag, kept in self.aside.items()},
        )
        self.context = OperatorContext(
            job_id="job",
            operator_id="operator",
            name="Tested",
            origin=None,
            subtask_index=subtask[0],
            parallelism=subtask[1],
            max_parallelism=MAX_PARALLELISM,
            attempt=0,
            batch_mode=batch_mode,
            clock=self.clock,
            processing_time=self.time,
            metrics=MetricGroup(),
            settings=settings or {},
            output=output,
            operator_state=self.operator_state,
        )
        if spec.uses_keyed_state:
            self.context.keyed_state = self.keyed_state
            self.context.make_timers = self._make_timers
        self._is_restored = False
        self.operator = spec.build(self.context)
        if self._saved:
            self._restore()
        self._is_restored = True
        self.operator.open()
        self.operator.start()

    def _make_timers(self, name: str) -> Timers:
        assert self._is_restored, "timers have to be made in open, as a task restores after build"
        timers = self.timers[name] = KeyedTimers(name, MAX_PARALLELISM, self.key_groups)
        timers.restore([one.timers[name] for one in self._saved], self.key_groups)
        return timers

    @staticmethod
    def _keep(kept: list[tuple[Any, Any]]) -> Callable[[Batch], None]:
        def keep(batch: Batch) -> None:
            assert isinstance(batch, RowBatch)
            assert batch.timestamps is None or len(batch.timestamps) == len(batch.values)
            kept.extend(zip(batch.values, batch.timestamps or [None] * len(batch), strict=True))

        return keep

    def _restore(self) -> None:
        self.keyed_state.restore([one.keyed for one in self._saved], self.key_groups)
        self.operator_state.restore(self._saved[0].operator)
        self.operator.restore(self._saved[0].own)

    def give(
        self, values: list[Any], timestamps: list[int] | None = None, keys: Any = None, port: int = 0
    ) -> None:
        """Give a batch; ``keys`` is a function of the value, or a list."""
        key_list = [keys(value) for value in values] if callable(keys) else keys
        self.operator.on_batch(RowBatch(values, timestamps, key_list), port)

    def watermark(self, timestamp: int) -> None:
        """Advance event time."""
        self.operator.on_watermark(timestamp)

    def status(self, status: StreamStatus) -> None:
        """Become idle or active."""
        self.operator.on_status(status)

    def advance(self, ms: int) -> None:
        """Let time pass, and fire what is due."""
        self.clock.advance(ms)
        self.time.fire()

    def save(self) -> Saved:
        """Take a snapshot."""
        own = self.operator.snapshot(1)  # first, as it may bring something into the state
        timers = {name: timers.snapshot() for name, timers in self.timers.items()}
        return Saved(self.keyed_state.snapshot(), self.operator_state.snapshot(), timers, own)

    def restored(self) -> "Stage":
        """A new stage that goes on from a snapshot of this one; it has emitted nothing yet."""
        saved = self.save()
        self.operator.close()
        return Stage(self.spec, clock=self.clock, sides=tuple(self.aside), saved=[saved])

    def take(self) -> list[tuple[Any, Any]]:
        """What was emitted since the last call."""
        taken = list(self.emitted)
        self.emitted.clear()
        return taken

    def take_values(self) -> list[Any]:
        """The records emitted since the last call, without watermarks and without timestamps."""
        return [value for value, _ in self.take() if value not in ("watermark", "status")]
