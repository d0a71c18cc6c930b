"""What works on all records of a partition at once, when the input has ended."""

from abc import abstractmethod
from collections.abc import Iterable
from enum import Enum
from typing import Generic

from penstock.contracts.element_type import I_contra, O_co
from penstock.contracts.functions import Function


class Order(Enum):
    """In which order a partition is sorted."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


class MapPartitionFunction(Function, Generic[I_contra, O_co]):
    """All records of a partition in, any number of records out."""

    @abstractmethod
    def map_partition(self, values: Iterable[I_contra]) -> Iterable[O_co] | None:
        """The values to emit; called once for each partition, when the input has ended, and not for an empty one."""
