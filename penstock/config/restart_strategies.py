"""Restart strategies as objects, for programs written before they became options."""

from datetime import timedelta
from typing import Any

from penstock.config.configuration import Configuration
from penstock.errors import OptionError


class RestartStrategyConfiguration:
    """What happens after a failure; ``options`` are the keys and values that say the same."""

    __slots__ = ("_description", "_options")

    def __init__(self, description: str, options: dict[str, object]) -> None:
        self._description = description
        self._options = options

    def get_description(self) -> str:
        """A sentence for the web page."""
        return self._description

    def apply_to(self, configuration: Configuration) -> None:
        """Set the options that stand for the strategy."""
        for key, value in self._options.items():
            configuration.set(key, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._options == getattr(other, "_options", None)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *self._options.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._description})"


class RestartStrategies:
    """Makes restart strategies.

    >>> RestartStrategies.fixed_delay_restart(3, 1000).get_description()
    'Restart with fixed delay (1000 ms), 3 attempts at most.'
    """

    class NoRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A failed job stays failed."""

        __slots__ = ()

        def __init__(self) -> None:
            super().__init__("No restart.", {"restart-strategy.type": "none"})

    class FallbackRestartStrategyConfiguration(RestartStrategyConfiguration):
        """The strategy of the cluster."""

        __slots__ = ()

        def __init__(self) -> None:
            super().__init__("The restart strategy of the cluster.", {})

    class FixedDelayRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A failed job starts again, so many times, after a while."""

        __slots__ = ("_attempts", "_delay")

        def __init__(self, restart_attempts: int, delay_between_attempts_interval: "timedelta | int") -> None:
            self._attempts = restart_attempts
            self._delay = _interval("delay_between_attempts_interval", delay_between_attempts_interval)
            super().__init__(
                f"Restart with fixed delay ({_ms(self._delay)} ms), {restart_attempts} attempts at most.",
                {
                    "restart-strategy.type": "fixed-delay",
                    "restart-strategy.fixed-delay.attempts": restart_attempts,
                    "restart-strategy.fixed-delay.delay": self._delay,
                },
            )

        def get_restart_attempts(self) -> int:
            """How often the job starts again."""
            return self._attempts

        def get_delay_between_attempts_interval(self) -> timedelta:
            """Time before each start."""
            return self._delay

    class FailureRateRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A failed job starts again unless it fails too often."""

        __slots__ = ("_delay", "_interval", "_rate")

        def __init__(
            self,
            max_failure_rate: int,
            failure_interval: "timedelta | int",
            delay_between_attempts_interval: "timedelta | int",
        ) -> None:
            self._rate = max_failure_rate
            self._interval = _interval("failure_interval", failure_interval)
            self._delay = _interval("delay_between_attempts_interval", delay_between_attempts_interval)
            super().__init__(
                f"Restart after {_ms(self._delay)} ms, unless there are more than {max_failure_rate} failures "
                f"in {_ms(self._interval)} ms.",
                {
                    "restart-strategy.type": "failure-rate",
                    "restart-strategy.failure-rate.max-failures-per-interval": max_failure_rate,
                    "restart-strategy.failure-rate.failure-rate-interval": self._interval,
                    "restart-strategy.failure-rate.delay": self._delay,
                },
            )

        def get_max_failure_rate(self) -> int:
            """How many failures an interval may see."""
            return self._rate

        def get_failure_interval(self) -> timedelta:
            """The interval in which failures are counted."""
            return self._interval

        def get_delay_between_attempts_interval(self) -> timedelta:
            """Time before each start."""
            return self._delay

    class ExponentialDelayRestartStrategyConfiguration(RestartStrategyConfiguration):
        """A failed job starts again after a while that grows with each failure."""

        __slots__ = ()

        def __init__(
            self,
            initial_backoff: "timedelta | int",
            max_backoff: "timedelta | int",
            backoff_multiplier: float,
            reset_backoff_threshold: "timedelta | int",
            jitter_factor: float,
        ) -> None:
            first = _interval("initial_backoff", initial_backoff)
            longest = _interval("max_backoff", max_backoff)
            super().__init__(
                f"Restart after {_ms(first)} ms, and {backoff_multiplier} times as long after each further failure, "
                f"{_ms(longest)} ms at most.",
                {
                    "restart-strategy.type": "exponential-delay",
                    "restart-strategy.exponential-delay.initial-backoff": first,
                    "restart-strategy.exponential-delay.max-backoff": longest,
                    "restart-strategy.exponential-delay.backoff-multiplier": backoff_multiplier,
                    "restart-strategy.exponential-delay.reset-backoff-threshold": _interval(
                        "reset_backoff_threshold", reset_backoff_threshold
                    ),
                    "restart-strategy.exponential-delay.jitter-factor": jitter_factor,
                },
            )

    @staticmethod
    def no_restart() -> NoRestartStrategyConfiguration:
        """A failed job stays failed."""
        return RestartStrategies.NoRestartStrategyConfiguration()

    @staticmethod
    def fall_back_restart() -> FallbackRestartStrategyConfiguration:
        """The strategy of the cluster."""
        return RestartStrategies.FallbackRestartStrategyConfiguration()

    @staticmethod
    def fixed_delay_restart(
        restart_attempts: int, delay_between_attempts: "timedelta | int"
    ) -> FixedDelayRestartStrategyConfiguration:
        """Start again so many times, each time after a timedelta or so many milliseconds."""
        return RestartStrategies.FixedDelayRestartStrategyConfiguration(
            restart_attempts, delay_between_attempts
        )

    @staticmethod
    def failure_rate_restart(
        failure_rate: int, failure_interval: "timedelta | int", delay_interval: "timedelta | int"
    ) -> FailureRateRestartStrategyConfiguration:
        """Start again unless an interval sees more failures than ``failure_rate``."""
        return RestartStrategies.FailureRateRestartStrategyConfiguration(
            failure_rate, failure_interval, delay_interval
        )

    @staticmethod
    def exponential_delay_restart(
        initial_backoff: "timedelta | int",
        max_backoff: "timedelta | int",
        backoff_multiplier: float,
        reset_backoff_threshold: "timedelta | int",
        jitter_factor: float,
    ) -> ExponentialDelayRestartStrategyConfiguration:
        """Start again after a while that grows with each failure, and is short again after a time without one."""
        return RestartStrategies.ExponentialDelayRestartStrategyConfiguration(
            initial_backoff, max_backoff, backoff_multiplier, reset_backoff_threshold, jitter_factor
        )


def restart_strategy_of(configuration: Configuration) -> RestartStrategyConfiguration:
    """The strategy that the options name; that of the cluster where they name none.

    >>> restart_strategy_of(Configuration().set_string("restart-strategy.type", "fixed-delay"))
    FixedDelayRestartStrategyConfiguration(Restart with fixed delay (1000 ms), 1 attempts at most.)
    """

    def option(name: str) -> Any:
        return configuration.get(f"restart-strategy.{name}")

    match (option("type") or "").replace("-", ""):
        case "":
            return RestartStrategies.fall_back_restart()
        case "fixeddelay":
            return RestartStrategies.fixed_delay_restart(
                option("fixed-delay.attempts"), option("fixed-delay.delay")
            )
        case "failurerate":
            return RestartStrategies.failure_rate_restart(
                option("failure-rate.max-failures-per-interval"),
                option("failure-rate.failure-rate-interval"),
                option("failure-rate.delay"),
            )
        case "exponentialdelay":
            return RestartStrategies.exponential_delay_restart(
                option("exponential-delay.initial-backoff"),
                option("exponential-delay.max-backoff"),
                option("exponential-delay.backoff-multiplier"),
                option("exponential-delay.reset-backoff-threshold"),
                option("exponential-delay.jitter-factor"),
            )
    return RestartStrategies.no_restart()


def _interval(name: str, value: "timedelta | int") -> timedelta:
    if isinstance(value, timedelta):
        return value
    if type(value) is int:
        return timedelta(milliseconds=value)
    raise OptionError(f"{name} has to be a timedelta or a number of milliseconds, got {value!r}")


def _ms(interval: timedelta) -> int:
    return interval // timedelta(milliseconds=1)
