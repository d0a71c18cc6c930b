"""Writes to a sink by hand, as the sink's operator does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from penstock.clock import ManualClock
from penstock.metrics.kinds import MetricGroup
from penstock.runtime.task.timekeeping import DueCalls


@dataclass
class ForWriter:
    """What a writer is given when it is made."""

    index: int = 0
    parallelism: int = 1
    runtime: Any = "the runtime context"
    manual_clock: ManualClock = field(default_factory=lambda: ManualClock(77))
    metrics: MetricGroup = field(default_factory=MetricGroup)

    def index_of_subtask(self) -> int:
        return self.index

    def number_of_parallel_subtasks(self) -> int:
        return self.parallelism

    def attempt_number(self) -> int:
        return 0

    def job_id(self) -> str:
        return "job"

    def operator_id(self) -> str:
        return "operator"

    def restored_checkpoint_id(self) -> int | None:
        return None

    def configuration(self) -> dict[str, str]:
        return {}

    def metric_group(self) -> MetricGroup:
        return self.metrics

    def clock(self) -> ManualClock:
        return self.manual_clock

    def register_timer(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        return self.timers.schedule(at_ms, callback)

    def runtime_context(self) -> Any:
        return self.runtime

    @cached_property
    def timers(self) -> DueCalls:
        """What is due is called by ``fire``."""
        return DueCalls(self.manual_clock)


class ForRecord:
    """What is given with each record."""

    def __init__(self, watermark: int = 5) -> None:
        self._watermark = watermark
        self._timestamp: int | None = None

    def now_at(self, timestamp: int | None) -> None:
        self._timestamp = timestamp

    def timestamp(self) -> int | None:
        return self._timestamp

    def current_watermark(self) -> int:
        return self._watermark
