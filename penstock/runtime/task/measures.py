"""What is measured of one subtask: records and batches in and out, busy, idle and back-pressured time, the watermark."""

from typing import Any

from penstock.clock import monotonic


class TaskMeasures:
    """Plain numbers that the task adds to once a batch."""

    __slots__ = (
        "_blocked_since",
        "_idle_since",
        "backpressured_s",
        "idle_s",
        "longest_barrier_s",
        "started_s",
        "watermark",
    )

    def __init__(self) -> None:
        self.started_s = monotonic()
        self.idle_s = 0.0
        self.backpressured_s = 0.0
        self.watermark: int | None = None
        self.longest_barrier_s = 0.0
        self._idle_since: float | None = None
        self._blocked_since: float | None = None

    def was_idle(self) -> None:
        """The step found nothing to do."""
        if self._idle_since is None:
            self.is_busy()
            self._idle_since = monotonic()

    def was_blocked(self) -> None:
        """The step found no room in an output."""
        if self._blocked_since is None:
            self.is_busy()
            self._blocked_since = monotonic()

    def took_part(self, seconds: float) -> None:
        """The task stood still for so long at the barrier of a checkpoint."""
        self.longest_barrier_s = max(self.longest_barrier_s, seconds)

    def is_busy(self) -> None:
        """A time of idleness or of back pressure has ended."""
        if self._idle_since is not None:
            self.idle_s += monotonic() - self._idle_since
            self._idle_since = None
        if self._blocked_since is not None:
            self.backpressured_s += monotonic() - self._blocked_since
            self._blocked_since = None

    def read(self) -> dict[str, Any]:
        """Milliseconds of each kind, and the watermark."""
        now = monotonic()
        idle = self.idle_s + (now - self._idle_since if self._idle_since is not None else 0.0)
        blocked = self.backpressured_s + (
            now - self._blocked_since if self._blocked_since is not None else 0.0
        )
        busy = max(0.0, now - self.started_s - idle - blocked)
        return {
            "busyTimeMs": round(busy * 1000),
            "idleTimeMs": round(idle * 1000),
            "backPressuredTimeMs": round(blocked * 1000),
            "currentInputWatermark": self.watermark,
            "longestBarrierPauseMs": round(self.longest_barrier_s * 1000),
        }
