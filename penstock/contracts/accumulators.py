"""Accumulators: values that all subtasks add to, and that the client reads when the job has ended.

Source: Flink's documentation, "Accumulators and Counters".
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Accumulator(ABC):
    """A value that every subtask adds to; the parts are merged at the end."""

    @abstractmethod
    def add(self, value: Any) -> None:
        """Add one value to this subtask's part."""

    @abstractmethod
    def get_local_value(self) -> Any:
        """This subtask's part."""

    @abstractmethod
    def merge(self, other: Self) -> None:
        """Take in the part of another subtask."""


class _Sum(Accumulator):
    def __init__(self, value: Any) -> None:
        self._value = value

    def add(self, value: Any) -> None:
        self._value += value

    def get_local_value(self) -> Any:
        return self._value

    def merge(self, other: Self) -> None:
        self._value += other._value


class IntCounter(_Sum):
    """Sums integers.

    >>> counter = IntCounter()
    >>> counter.add(3); counter.add(4); counter.get_local_value()
    7
    """

    def __init__(self, value: int = 0) -> None:
        super().__init__(value)


class LongCounter(IntCounter):
    """Sums integers; Python's have no bound, so this is :class:`IntCounter` under its other name."""


class DoubleCounter(_Sum):
    """Sums floats."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__(value)


class AverageAccumulator(Accumulator):
    """The mean of all values."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._count += 1
        self._sum += value

    def get_local_value(self) -> float:
        return self._sum / self._count if self._count else 0.0

    def merge(self, other: Self) -> None:
        self._count += other._count
        self._sum += other._sum


class _Extreme(Accumulator):
    _choose: Any = None

    def __init__(self) -> None:
        self._value: Any = None

    def add(self, value: Any) -> None:
        self._value = value if self._value is None else type(self)._choose(self._value, value)

    def get_local_value(self) -> Any:
        return self._value

    def merge(self, other: Self) -> None:
        if other._value is not None:
            self.add(other._value)


class IntMaximum(_Extreme):
    """The largest value; None before the first."""

    _choose = max


class IntMinimum(_Extreme):
    """The smallest value; None before the first."""

    _choose = min


class ListAccumulator(Accumulator):
    """Collects values; for small amounts only, as the list travels to the client whole."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, value: Any) -> None:
        self._values.append(value)

    def get_local_value(self) -> list[Any]:
        return list(self._values)

    def merge(self, other: Self) -> None:
        self._values += other._values


class Histogram(Accumulator):
    """Counts how often each value came; in the order of the values where they have one."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}

    def add(self, value: Any) -> None:
        self._counts[value] = self._counts.get(value, 0) + 1

    def get_local_value(self) -> dict[Any, int]:
        try:
            return dict(sorted(self._counts.items()))
        except TypeError:
            return dict(self._counts)

    def merge(self, other: Self) -> None:
        for value, count in other._counts.items():
            self._counts[value] = self._counts.get(value, 0) + count


def merged_values(
    finished: Mapping[str, Accumulator], others: Iterable[Mapping[str, Accumulator]]
) -> dict[str, Any]:
    """The values of accumulators, merged over those that are final and the ``others``."""
    from copy import deepcopy

    merged = {name: deepcopy(accumulator) for name, accumulator in list(finished.items())}
    for report in others:
        for name, accumulator in report.items():
            if name in merged:
                merged[name].merge(accumulator)
            else:
                merged[name] = deepcopy(accumulator)
    return values_of(merged)


def values_of(accumulators: Mapping[str, Accumulator]) -> dict[str, Any]:
    """Their values by name."""
    return {name: accumulator.get_local_value() for name, accumulator in accumulators.items()}
