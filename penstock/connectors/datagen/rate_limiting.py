"""How fast a generated source may go."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

from penstock.errors import ProgramError

# What was not used, because others were busy, can be made up for as far as this; beyond it is forgotten.
MOST_CATCHING_UP_MS = 1_000


class RateLimiter(ABC):
    """Of one reader. Times are those of the task's clock, in milliseconds."""

    @abstractmethod
    def permitted(self, now_ms: int) -> int:
        """How many records may be emitted now."""

    @abstractmethod
    def used(self, records: int) -> None:
        """So many of them were."""

    @abstractmethod
    def wait_ms(self, now_ms: int) -> int | None:
        """How long until the next record may be emitted; 0 for now, None where no time but a checkpoint lets it through."""

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:  # noqa: B027
        """A checkpoint is complete. The reader asks again after it."""


class RateLimiterStrategy(ABC):
    """Makes the limiters of all readers of a source.

    >>> limiter = RateLimiterStrategy.per_second(10).create_rate_limiter(parallelism=2)
    >>> limiter.permitted(0), limiter.permitted(1_000)
    (1, 6)
    """

    needs_checkpoints: ClassVar[bool] = False
    """Whether nothing would come behind the first records of a job that takes no checkpoints."""

    @abstractmethod
    def create_rate_limiter(self, parallelism: int) -> RateLimiter | None:
        """The limiter of one of ``parallelism`` readers; None for no limit."""

    @staticmethod
    def per_second(records_per_second: float) -> "RateLimiterStrategy":
        """So many records a second, by all readers together."""
        is_number = isinstance(records_per_second, int | float) and not isinstance(records_per_second, bool)
        if not is_number or not 0 < records_per_second < float("inf"):
            raise ProgramError(f"records_per_second must be a positive number, not {records_per_second!r}")
        return _PerSecond(float(records_per_second))

    @staticmethod
    def per_checkpoint(records_per_checkpoint: int) -> "RateLimiterStrategy":
        """So many records from one checkpoint to the next, by all readers together, a whole number by each.

        Without ``execution.checkpointing.interval`` the source stops behind the first of them until somebody asks for a
        checkpoint, and a warning says so.

        >>> limiter = RateLimiterStrategy.per_checkpoint(10).create_rate_limiter(parallelism=2)
        >>> limiter.used(5); limiter.permitted(1_000)
        0
        >>> limiter.notify_checkpoint_complete(1); limiter.permitted(1_000)
        5
        """
        if type(records_per_checkpoint) is not int or records_per_checkpoint <= 0:
            raise ProgramError(
                f"records_per_checkpoint must be a whole number above 0, not {records_per_checkpoint!r}"
            )
        return _PerCheckpoint(records_per_checkpoint)

    @staticmethod
    def no_op() -> "RateLimiterStrategy":
        """As fast as possible."""
        return _NoLimit()


@dataclass(frozen=True, slots=True)
class _NoLimit(RateLimiterStrategy):
    def create_rate_limiter(self, parallelism: int) -> RateLimiter | None:
        return None


@dataclass(frozen=True, slots=True)
class _PerSecond(RateLimiterStrategy):
    records_per_second: float

    def create_rate_limiter(self, parallelism: int) -> RateLimiter | None:
        return _Steady(self.records_per_second / parallelism)


@dataclass(frozen=True, slots=True)
class _PerCheckpoint(RateLimiterStrategy):
    records_per_checkpoint: int

    needs_checkpoints: ClassVar[bool] = True

    def create_rate_limiter(self, parallelism: int) -> RateLimiter | None:
        of_each = self.records_per_checkpoint // parallelism
        if not of_each:
            raise ProgramError(
                f"{self.records_per_checkpoint} records per checkpoint are fewer than the {parallelism} readers of "
                "the source, each of which emits a whole number; ask for more records, or lower its parallelism"
            )
        return _Gated(of_each)


class _Gated(RateLimiter):
    """So many records, then none until a checkpoint is complete."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._left = records

    def permitted(self, now_ms: int) -> int:
        return self._left

    def used(self, records: int) -> None:
        self._left -= records

    def wait_ms(self, now_ms: int) -> int | None:
        return 0 if self._left else None

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self._left = self._records


class _Steady(RateLimiter):
    """Record ``n`` is due ``n / rate`` seconds after the first, so that no error adds up."""

    def __init__(self, records_per_second: float) -> None:
        self._per_ms = records_per_second / 1_000
        self._start_ms: float | None = None
        self._emitted = 0

    def permitted(self, now_ms: int) -> int:
        start = self._start_ms
        if start is None or now_ms < start:  # the clock was set back
            self._begin(now_ms)
            return 1
        due = int((now_ms - start) * self._per_ms + 1e-9) + 1
        if due - self._emitted > MOST_CATCHING_UP_MS * self._per_ms + 1:
            start = max(now_ms - MOST_CATCHING_UP_MS, start)
            self._begin(start)
            due = int((now_ms - start) * self._per_ms + 1e-9) + 1
        return max(due - self._emitted, 0)

    def used(self, records: int) -> None:
        self._emitted += records

    def wait_ms(self, now_ms: int) -> int:
        if self._start_ms is None:
            return 0
        return max(ceil(self._start_ms + self._emitted / self._per_ms - now_ms - 1e-9), 0)

    def _begin(self, start_ms: float) -> None:
        self._start_ms = start_ms
        self._emitted = 0


def strategy_argument(strategy: Any) -> RateLimiterStrategy:
    """What a source was given, None for no limit."""
    if strategy is None:
        return RateLimiterStrategy.no_op()
    if not isinstance(strategy, RateLimiterStrategy):
        raise ProgramError(
            f"rate_limiter_strategy is a RateLimiterStrategy, not {strategy!r}; write RateLimiterStrategy.per_second(...)"
        )
    return strategy
