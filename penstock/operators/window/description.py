"""What is said of a window operator: what its windows hold, and how they are evaluated."""

from dataclasses import dataclass
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class Reduced:
    """A window holds one value per key: its records, combined by a reduce function."""

    function: Any
    value_type: Any = None


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A window holds one accumulator per key of an ``AggregateFunction``."""

    function: Any
    accumulator_type: Any = None


@dataclass(frozen=True, slots=True)
class Collected:
    """A window holds all its records per key, in the order of their arrival."""

    element_type: Any = None


Contents = Reduced | Aggregated | Collected


class Style(Enum):
    """How a window that fires is evaluated."""

    PASS = "its contents are the result"
    APPLY = "WindowFunction"
    PROCESS = "ProcessWindowFunction"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The window function; without ``keyed`` it is called without the key."""

    style: Style = Style.PASS
    function: Any = None
    keyed: bool = True
