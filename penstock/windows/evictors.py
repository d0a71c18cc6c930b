"""What removes records from a window before or after the window function sees them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from penstock.errors import ProgramError
from penstock.metrics.kinds import MetricGroup
from penstock.windows.length import Length, length_ms
from penstock.windows.window import Window

T = TypeVar("T")
W = TypeVar("W", bound=Window)


class TimestampedValue(Generic[T]):
    """A record of a window with its event time, or without.

    >>> TimestampedValue("a", 10), TimestampedValue("b").has_timestamp()
    (TimestampedValue('a', 10), False)
    """

    __slots__ = ("_timestamp", "value")

    def __init__(self, value: T, timestamp: int | None = None) -> None:
        self.value = value
        self._timestamp = timestamp

    def get_value(self) -> T:
        """The record."""
        return self.value

    def has_timestamp(self) -> bool:
        """Whether the record has an event time."""
        return self._timestamp is not None

    @property
    def timestamp(self) -> int:
        """The record's event time; raises ``ProgramError`` when it has none."""
        if self._timestamp is None:
            raise ProgramError(
                f"the record {self.value!r} has no timestamp; call assign_timestamps_and_watermarks(...) before the window"
            )
        return self._timestamp

    def get_timestamp(self) -> int:
        """The same as :attr:`timestamp`."""
        return self.timestamp

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TimestampedValue)
            and self.value == other.value
            and self._timestamp == other._timestamp
        )

    def __hash__(self) -> int:
        return hash((self.value, self._timestamp))

    def __repr__(self) -> str:
        return f"TimestampedValue({self.value!r}, {self._timestamp})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (self.__class__, (self.value, self._timestamp))


class Evictor(ABC, Generic[T, W]):
    """Removes records from a window that fires. A window with an evictor keeps every record, in order of arrival.

    ``elements`` is the window's own list: an evictor removes from it in place, and what it removes is gone for later firings.
    """

    class EvictorContext(ABC):
        """Time and metrics."""

        @abstractmethod
        def get_current_processing_time(self) -> int:
            """The clock's time in milliseconds."""

        @abstractmethod
        def get_metric_group(self) -> MetricGroup:
            """Where the evictor registers its metrics."""

        @abstractmethod
        def get_current_watermark(self) -> int:
            """The watermark; ``MIN_TIMESTAMP`` before the first."""

    @abstractmethod
    def evict_before(
        self,
        elements: list[TimestampedValue[T]],
        size: int,
        window: W,
        evictor_context: "Evictor.EvictorContext",
    ) -> None:
        """Called before the window function; ``size`` is the number of ``elements``."""

    @abstractmethod
    def evict_after(
        self,
        elements: list[TimestampedValue[T]],
        size: int,
        window: W,
        evictor_context: "Evictor.EvictorContext",
    ) -> None:
        """Called after the window function; ``size`` is the number of ``elements``, what was evicted before not counted."""


class _OneSidedEvictor(Evictor[T, W]):
    """Removes by one rule, either before or after the window function."""

    def __init__(self, do_evict_after: bool) -> None:
        self.do_evict_after = do_evict_after

    @abstractmethod
    def _evict(self, elements: list[TimestampedValue[T]], size: int) -> None:
        """Remove from ``elements`` in place."""

    def evict_before(
        self,
        elements: list[TimestampedValue[T]],
        size: int,
        window: W,
        evictor_context: Evictor.EvictorContext,
    ) -> None:
        if not self.do_evict_after:
            self._evict(elements, size)

    def evict_after(
        self,
        elements: list[TimestampedValue[T]],
        size: int,
        window: W,
        evictor_context: Evictor.EvictorContext,
    ) -> None:
        if self.do_evict_after:
            self._evict(elements, size)


class CountEvictor(_OneSidedEvictor[T, W]):
    """Keeps the latest ``max_count`` records.

    >>> elements = [TimestampedValue(letter) for letter in "abcd"]
    >>> CountEvictor.of(3).evict_before(elements, 4, None, None)
    >>> [element.value for element in elements]
    ['b', 'c', 'd']
    """

    def __init__(self, max_count: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        if max_count < 0:
            raise ProgramError(f"CountEvictor: cannot keep {max_count} records; max_count is 0 or more")
        self.max_count = max_count

    @staticmethod
    def of(max_count: int, do_evict_after: bool = False) -> "CountEvictor[Any, Any]":
        """Keep ``max_count`` records; remove the others before the window function, or after it."""
        return CountEvictor(max_count, do_evict_after)

    def _evict(self, elements: list[TimestampedValue[T]], size: int) -> None:
        if size > self.max_count:
            del elements[: size - self.max_count]

    def __repr__(self) -> str:
        return f"CountEvictor({self.max_count})"


class TimeEvictor(_OneSidedEvictor[T, W]):
    """Keeps the records whose timestamps are within ``window_size`` of the latest one; all, if the first has no timestamp.

    >>> elements = [TimestampedValue("a", 0), TimestampedValue("b", 20), TimestampedValue("c", 10)]
    >>> TimeEvictor.of(15).evict_before(elements, 3, None, None)
    >>> [element.value for element in elements]
    ['b', 'c']
    """

    def __init__(self, window_size: int, do_evict_after: bool = False) -> None:
        super().__init__(do_evict_after)
        self.window_size_ms = window_size

    @staticmethod
    def of(window_size: Length, do_evict_after: bool = False) -> "TimeEvictor[Any, Any]":
        """Keep what is not as old as ``window_size``; remove the rest before the window function, or after it."""
        return TimeEvictor(length_ms(window_size, "size"), do_evict_after)

    def _evict(self, elements: list[TimestampedValue[T]], size: int) -> None:
        if not elements or not elements[0].has_timestamp():
            return
        oldest = max(element.timestamp for element in elements) - self.window_size_ms
        elements[:] = [element for element in elements if element.timestamp > oldest]

    def __repr__(self) -> str:
        return f"TimeEvictor({self.window_size_ms})"


class DeltaEvictor(_OneSidedEvictor[T, W]):
    """Removes the records that are ``threshold`` or further from the one that came last.

    ``delta_function(record, last)`` gives the distance.

    >>> elements = [TimestampedValue(number) for number in (1, 6, 4)]
    >>> DeltaEvictor.of(3, lambda record, last: abs(record - last)).evict_before(elements, 3, None, None)
    >>> [element.value for element in elements]
    [6, 4]
    """

    def __init__(
        self, threshold: float, delta_function: Callable[[T, T], float], do_evict_after: bool = False
    ) -> None:
        super().__init__(do_evict_after)
        self.threshold = threshold
        self.delta_function = delta_function

    @staticmethod
    def of(
        threshold: float, delta_function: Callable[[Any, Any], float], do_evict_after: bool = False
    ) -> "DeltaEvictor[Any, Any]":
        """Keep what is nearer than ``threshold`` to the last; remove the rest before the window function, or after it."""
        return DeltaEvictor(threshold, delta_function, do_evict_after)

    def _evict(self, elements: list[TimestampedValue[T]], size: int) -> None:
        if not elements:
            return
        delta, threshold, last = self.delta_function, self.threshold, elements[-1].value
        # Not `delta < threshold`: a distance that is not a number removes nothing.
        elements[:] = [element for element in elements if not delta(element.value, last) >= threshold]

    def __repr__(self) -> str:
        return f"DeltaEvictor({self.threshold})"
