"""The functions that join two streams. PyFlink has none of them: the names are those of Flink's Java API, in snake_case.

What Java's functions give to a collector these return: any iterable, or they are generators.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, TypeAlias

from penstock.contracts.element_type import I1_contra, I2_contra, O_co
from penstock.contracts.functions import Function
from penstock.contracts.output_tag import OutputTag


class JoinFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """One result for each pair of records with the same key in the same window."""

    @abstractmethod
    def join(self, first: I1_contra, second: I2_contra) -> O_co:
        """The value to emit for the pair."""


class FlatJoinFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """Any number of results for each pair of records with the same key in the same window."""

    @abstractmethod
    def join(self, first: I1_contra, second: I2_contra) -> Iterable[O_co] | None:
        """The values to emit for the pair, as any iterable (a generator too), or None for none."""


class CoGroupFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """Sees all records of both streams with one key in one window; one of the sides may be empty."""

    @abstractmethod
    def co_group(self, firsts: Iterable[I1_contra], seconds: Iterable[I2_contra]) -> Iterable[O_co] | None:
        """The values to emit for the key and window."""


class ProcessJoinContext(ABC):
    """Given to ``process_element`` with each pair; valid during that call only.

    A side that is missing, in an outer join, has ``MIN_TIMESTAMP`` for a timestamp.
    """

    @abstractmethod
    def get_left_timestamp(self) -> int:
        """The event time of the left record."""

    @abstractmethod
    def get_right_timestamp(self) -> int:
        """The event time of the right record."""

    @abstractmethod
    def get_timestamp(self) -> int:
        """The event time that results have: the later one of the pair's, for a single record when it was given up."""

    @abstractmethod
    def output(self, output_tag: Any, value: Any) -> None:
        """Emit to a side output, at once; the same as yielding ``(output_tag, value)``."""


class ProcessJoinFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """Sees each pair of records that an interval join finds; in an outer join also single ones, with None beside them."""

    Context: TypeAlias = ProcessJoinContext

    @abstractmethod
    def process_element(
        self, left: I1_contra, right: I2_contra, ctx: ProcessJoinContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit; a pair ``(OutputTag, value)`` goes to that side output."""


class TaggedUnion(tuple[int, Any]):
    """A record of one of two streams, as the triggers, evictors and assigners of joined windows see it.

    >>> one, two = TaggedUnion.one("a"), TaggedUnion.two(5)
    >>> one.is_one(), one.get_one(), two.is_one(), two.get_two()
    (True, 'a', False, 5)
    """

    __slots__ = ()

    @classmethod
    def one(cls, value: Any) -> "TaggedUnion":
        """A record of the first stream."""
        return cls((0, value))

    @classmethod
    def two(cls, value: Any) -> "TaggedUnion":
        """A record of the second stream."""
        return cls((1, value))

    def is_one(self) -> bool:
        """Whether it is of the first stream."""
        return self[0] == 0

    def is_two(self) -> bool:
        """Whether it is of the second stream."""
        return self[0] == 1

    def get_one(self) -> Any:
        """The record, if it is of the first stream, else None."""
        return self[1] if self[0] == 0 else None

    def get_two(self) -> Any:
        """The record, if it is of the second stream, else None."""
        return self[1] if self[0] == 1 else None
