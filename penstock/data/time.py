"""Lengths of time and points in time, under PyFlink's names."""

from datetime import timedelta
from typing import Any

from penstock.config.quantities import NANOS_PER_MS, NANOS_PER_SECOND, parse_duration


class Duration:
    """A length of time, exact to the nanosecond.

    >>> Duration.of_minutes(1) == Duration.of_seconds(60)
    True
    >>> Duration.of("10 s")
    Duration(PT10S)
    """

    __slots__ = ("_nanos",)

    def __init__(self, nanos: int = 0) -> None:
        self._nanos = nanos

    @staticmethod
    def of_days(days: int) -> "Duration":
        """``days`` times 24 hours."""
        return Duration(days * 86_400 * NANOS_PER_SECOND)

    @staticmethod
    def of_hours(hours: int) -> "Duration":
        """``hours`` hours."""
        return Duration(hours * 3_600 * NANOS_PER_SECOND)

    @staticmethod
    def of_minutes(minutes: int) -> "Duration":
        """``minutes`` minutes."""
        return Duration(minutes * 60 * NANOS_PER_SECOND)

    @staticmethod
    def of_seconds(seconds: int) -> "Duration":
        """``seconds`` seconds."""
        return Duration(seconds * NANOS_PER_SECOND)

    @staticmethod
    def of_millis(millis: int) -> "Duration":
        """``millis`` milliseconds."""
        return Duration(millis * NANOS_PER_MS)

    @staticmethod
    def of_nanos(nanos: int) -> "Duration":
        """``nanos`` nanoseconds."""
        return Duration(nanos)

    @staticmethod
    def of(value: "Duration | Time | timedelta | int | str") -> "Duration":
        """A duration from whatever stands for one: an integer counts milliseconds, text is as in a configuration.

        >>> Duration.of(timedelta(seconds=2)) == Duration.of(2000) == Duration.of("2 s")
        True
        """
        if isinstance(value, Duration):
            return value
        if isinstance(value, timedelta):
            return Duration(
                (value.days * 86_400_000_000 + value.seconds * 1_000_000 + value.microseconds) * 1_000
            )
        if isinstance(value, str):
            return Duration(parse_duration(value))
        if isinstance(value, Time):
            return Duration.of_millis(value.to_milliseconds())
        if type(value) is int:
            return Duration.of_millis(value)
        raise TypeError(
            f"cannot make a duration of {value!r}; give a Duration, a timedelta, milliseconds or text such as '10 s'"
        )

    def to_nanos(self) -> int:
        """The length in nanoseconds."""
        return self._nanos

    def to_millis(self) -> int:
        """The length in whole milliseconds, rounded down."""
        return self._nanos // NANOS_PER_MS

    def to_milliseconds(self) -> int:
        """The same as :meth:`to_millis`, under the name that :class:`Time` has for it."""
        return self._nanos // NANOS_PER_MS

    def to_timedelta(self) -> timedelta:
        """The length as Python's own type, which is exact to the microsecond."""
        return timedelta(microseconds=self._nanos // 1_000)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self._nanos == other._nanos

    def __lt__(self, other: "Duration") -> bool:
        return self._nanos < other._nanos

    def __hash__(self) -> int:
        return hash(self._nanos)

    def __bool__(self) -> bool:
        return self._nanos != 0

    def __str__(self) -> str:
        return _iso(self._nanos)

    def __repr__(self) -> str:
        return f"Duration({_iso(self._nanos)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Duration, (self._nanos,))


class Instant:
    """A point in time: seconds since the epoch and nanoseconds within the second.

    >>> Instant.of_epoch_milli(1500)
    Instant<1, 500000000>
    """

    __slots__ = ("nanos", "seconds")

    def __init__(self, seconds: int, nanos: int) -> None:
        self.seconds = seconds
        self.nanos = nanos

    @staticmethod
    def of_epoch_milli(epoch_milli: int) -> "Instant":
        """The instant so many milliseconds after the epoch."""
        return Instant(epoch_milli // 1_000, epoch_milli % 1_000 * NANOS_PER_MS)

    def to_epoch_milli(self) -> int:
        """Whole milliseconds since the epoch, rounded down.

        >>> Instant.of_epoch_milli(-1).to_epoch_milli()
        -1
        """
        return self.seconds * 1_000 + self.nanos // NANOS_PER_MS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instant) and (self.seconds, self.nanos) == (other.seconds, other.nanos)

    def __lt__(self, other: "Instant") -> bool:
        return (self.seconds, self.nanos) < (other.seconds, other.nanos)

    def __hash__(self) -> int:
        return hash((self.seconds, self.nanos))

    def __repr__(self) -> str:
        return f"Instant<{self.seconds}, {self.nanos}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Instant, (self.seconds, self.nanos))


class Time:
    """A length of time in milliseconds, as windows take it.

    >>> str(Time.seconds(3))
    '3000 ms'
    """

    __slots__ = ("_milliseconds",)

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    @staticmethod
    def milliseconds(milliseconds: int) -> "Time":
        """``milliseconds`` milliseconds."""
        return Time(milliseconds)

    @staticmethod
    def seconds(seconds: int) -> "Time":
        """``seconds`` seconds."""
        return Time(seconds * 1_000)

    @staticmethod
    def minutes(minutes: int) -> "Time":
        """``minutes`` minutes."""
        return Time(minutes * 60_000)

    @staticmethod
    def hours(hours: int) -> "Time":
        """``hours`` hours."""
        return Time(hours * 3_600_000)

    @staticmethod
    def days(days: int) -> "Time":
        """``days`` times 24 hours."""
        return Time(days * 86_400_000)

    @staticmethod
    def of(value: "Time | Duration | timedelta | int | str") -> "Time":
        """A time from whatever :meth:`Duration.of` takes.

        >>> Time.of("2 s") == Time.seconds(2)
        True
        """
        return value if isinstance(value, Time) else Time(Duration.of(value).to_millis())

    def to_milliseconds(self) -> int:
        """The length in milliseconds."""
        return self._milliseconds

    def to_millis(self) -> int:
        """The same as :meth:`to_milliseconds`, under the name that :class:`Duration` has for it."""
        return self._milliseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self._milliseconds == other._milliseconds

    def __hash__(self) -> int:
        return hash(self._milliseconds)

    def __str__(self) -> str:
        return f"{self._milliseconds} ms"

    def __repr__(self) -> str:
        return f"Time({self._milliseconds} ms)"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Time, (self._milliseconds,))


def _iso(nanos: int) -> str:
    """The ISO-8601 text that Java prints: hours, minutes, seconds; negative parts carry their own sign."""
    if nanos == 0:
        return "PT0S"
    sign = "-" if nanos < 0 else ""
    seconds, fraction = divmod(abs(nanos), NANOS_PER_SECOND)
    hours, minutes, seconds = seconds // 3_600, seconds // 60 % 60, seconds % 60
    text = "PT"
    if hours:
        text += f"{sign}{hours}H"
    if minutes:
        text += f"{sign}{minutes}M"
    if seconds or fraction:
        text += f"{sign}{seconds}" + (f".{fraction:09d}".rstrip("0") if fraction else "") + "S"
    return text
