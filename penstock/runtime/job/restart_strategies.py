"""Whether a failed job starts again, and when: decisions alone. Source: Flink's documentation, "Task Failure Recovery"."""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from penstock.chance import seeded
from penstock.config.configuration import Configuration
from penstock.errors import OptionError

_TYPE = "restart-strategy.type"
_FAILOVER = "jobmanager.execution.failover-strategy"


class RestartStrategy(Protocol):
    """Asked at each failure."""

    def delay_ms(self, now_ms: int) -> int | None:
        """After how many milliseconds to start again; None to leave the job failed."""


@dataclass(slots=True)
class NoRestart:
    """A failed job stays failed."""

    def delay_ms(self, now_ms: int) -> int | None:
        return None


@dataclass(slots=True)
class FixedDelay:
    """So many times, each time after the same while."""

    attempts: int
    wait_ms: int
    _failures: int = 0

    def delay_ms(self, now_ms: int) -> int | None:
        """
        >>> strategy = FixedDelay(1, 50)
        >>> strategy.delay_ms(0), strategy.delay_ms(9)
        (50, None)
        """
        self._failures += 1
        return self.wait_ms if self._failures <= self.attempts else None


@dataclass(slots=True)
class FailureRate:
    """Unless an interval sees more failures than allowed."""

    most: int
    interval_ms: int
    wait_ms: int
    _failures: deque[int] = field(default_factory=deque)

    def delay_ms(self, now_ms: int) -> int | None:
        """
        >>> strategy = FailureRate(1, 1000, 50)
        >>> strategy.delay_ms(0), strategy.delay_ms(2000), strategy.delay_ms(2500)
        (50, 50, None)
        """
        self._failures.append(now_ms)
        while self._failures[0] <= now_ms - self.interval_ms:
            self._failures.popleft()
        return self.wait_ms if len(self._failures) <= self.most else None


@dataclass(slots=True)
class ExponentialDelay:
    """After a while that grows with each failure, and is short again after a time without one."""

    initial_ms: int
    most_ms: int
    multiplier: float
    reset_ms: int
    jitter: float
    attempts: int
    seed: str = ""
    _current_ms: float = 0.0
    _failures: int = 0
    _last_ms: int | None = None

    def delay_ms(self, now_ms: int) -> int | None:
        """
        >>> strategy = ExponentialDelay(100, 250, 2.0, 10_000, 0.0, 4)
        >>> [strategy.delay_ms(now) for now in (0, 1, 2, 20_000)]
        [100, 200, 250, 100]
        """
        if self._last_ms is None or now_ms - self._last_ms >= self.reset_ms + self._current_ms:
            self._current_ms = self.initial_ms
            self._failures = 0
        else:
            self._current_ms = min(self.most_ms, self._current_ms * self.multiplier)
        self._last_ms = now_ms
        self._failures += 1
        if self._failures > self.attempts:
            return None
        share = seeded(f"{self.seed}/{self._failures}").uniform(-self.jitter, self.jitter)
        return max(0, min(self.most_ms, round(self._current_ms * (1 + share))))


def restart_strategy(options: dict[str, str], takes_checkpoints: bool, seed: str = "") -> RestartStrategy:
    """The strategy that a job's options name; where none is named, exponential delay if checkpoints are taken, else none.

    :raises OptionError: for a value that makes no sense.
    """
    if not takes_checkpoints and not any(key.startswith("restart-strategy") for key in options):
        return NoRestart()
    given = Configuration.from_dict(options)
    kind = given.get(_TYPE) or ("exponential-delay" if takes_checkpoints else "none")
    match str(kind).replace("-", ""):
        case "none" | "off" | "disable":
            return NoRestart()
        case "fixeddelay":
            prefix = "restart-strategy.fixed-delay."
            return FixedDelay(_number(given, prefix + "attempts"), _millis(given, prefix + "delay"))
        case "failurerate":
            prefix = "restart-strategy.failure-rate."
            return FailureRate(
                _number(given, prefix + "max-failures-per-interval"),
                _millis(given, prefix + "failure-rate-interval"),
                _millis(given, prefix + "delay"),
            )
        case "exponentialdelay":
            return _exponential(given, seed)
    raise OptionError(f"{_TYPE} is {kind!r}, which is no restart strategy")


def restarts_regions(options: dict[str, str]) -> bool:
    """Whether a failure starts its region again, and not the whole job, as the job's options have it.

    >>> restarts_regions({}), restarts_regions({"jobmanager.execution.failover-strategy": "full"})
    (True, False)
    """
    return _FAILOVER not in options or Configuration.from_dict(options).get(_FAILOVER) == "region"


def _exponential(given: Configuration, seed: str) -> ExponentialDelay:
    prefix = "restart-strategy.exponential-delay."
    multiplier = float(given.get(prefix + "backoff-multiplier"))
    if multiplier < 1:
        raise OptionError(f"{prefix}backoff-multiplier is {multiplier}; it has to be at least 1")
    return ExponentialDelay(
        _millis(given, prefix + "initial-backoff"),
        _millis(given, prefix + "max-backoff"),
        multiplier,
        _millis(given, prefix + "reset-backoff-threshold"),
        float(given.get(prefix + "jitter-factor")),
        _number(given, prefix + "attempts-before-reset-backoff"),
        seed,
    )


def _number(given: Configuration, key: str) -> int:
    number = int(given.get(key))
    if number < 0:
        raise OptionError(f"{key} is {number}; it cannot be negative")
    return number


def _millis(given: Configuration, key: str) -> int:
    return given.get_millis(key) or 0
