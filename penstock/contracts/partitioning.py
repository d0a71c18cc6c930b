"""How records find their way to the subtasks of the next operator, as plain data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Forward:
    """Subtask i to subtask i; needs the same parallelism on both sides."""


@dataclass(frozen=True, slots=True)
class Hash:
    """By key group, so that equal keys meet; ``key`` extracts the key of a value, of the ``key_type`` that was declared."""

    key: Callable[[Any], Any]
    key_type: Any = None


@dataclass(frozen=True, slots=True)
class Rebalance:
    """Round robin over all subtasks, record by record."""


@dataclass(frozen=True, slots=True)
class Rescale:
    """Round robin over a few near subtasks; each sender has its own."""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """At random, evenly."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Each record to every subtask."""


@dataclass(frozen=True, slots=True)
class Global:
    """Everything to the first subtask."""


@dataclass(frozen=True, slots=True)
class Custom:
    """Where a function of the key and the number of subtasks says."""

    partition: Callable[[Any, int], int]
    key: Callable[[Any], Any]


Partitioning = Forward | Hash | Rebalance | Rescale | Shuffle | Broadcast | Global | Custom
