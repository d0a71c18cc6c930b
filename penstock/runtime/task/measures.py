"""What is measured of one subtask: busy, idle and back-pressured time, the watermark, the longest pause at a barrier."""

from typing import Any

from penstock.clock import monotonic
from penstock.runtime.task.progress import Progress


class TaskMeasures:
    """Plain numbers that the task adds to at each step.

    A task is busy while it is stepped. Between two steps it is idle or back-pressured, as the first of them has said; where
    there was more to do it waits for its turn, as the tasks of a worker share one thread, and that is none of the three.
    """

    __slots__ = (
        "_between",
        "_since",
        "backpressured_s",
        "busy_s",
        "idle_s",
        "longest_barrier_s",
        "watermark",
    )

    def __init__(self) -> None:
        self.busy_s = 0.0
        self.idle_s = 0.0
        self.backpressured_s = 0.0
        self.watermark: int | None = None
        self.longest_barrier_s = 0.0
        self._between = Progress.MORE
        self._since = monotonic()

    def step_begins(self) -> None:
        """The task is stepped."""
        now = monotonic()
        if self._between is Progress.IDLE:
            self.idle_s += now - self._since
        elif self._between is Progress.BLOCKED:
            self.backpressured_s += now - self._since
        self._since = now

    def step_ends(self, progress: Progress) -> None:
        """The step has come to its end."""
        now = monotonic()
        self.busy_s += now - self._since
        self._since = now
        self._between = progress

    def took_part(self, seconds: float) -> None:
        """The task stood still for so long at the barrier of a checkpoint."""
        self.longest_barrier_s = max(self.longest_barrier_s, seconds)

    def read(self) -> dict[str, Any]:
        """Milliseconds of each kind, and the watermark."""
        lasts = monotonic() - self._since
        idle = self.idle_s + (lasts if self._between is Progress.IDLE else 0.0)
        blocked = self.backpressured_s + (lasts if self._between is Progress.BLOCKED else 0.0)
        return {
            "busyTimeMs": round(self.busy_s * 1000),
            "idleTimeMs": round(idle * 1000),
            "backPressuredTimeMs": round(blocked * 1000),
            "isBackPressured": self._between is Progress.BLOCKED,
            "currentInputWatermark": self.watermark,
            "longestBarrierPauseMs": round(self.longest_barrier_s * 1000),
        }
