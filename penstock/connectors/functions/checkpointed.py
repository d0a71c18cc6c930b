"""State of functions that are sources or sinks."""

from abc import ABC, abstractmethod
from typing import Any

from penstock.contracts.checkpointing import CheckpointedFunction
from penstock.errors import ProgramError


class ListCheckpointed(ABC):
    """A source or sink function with a state of its own, kept as a list.

    After a restart at another parallelism, a subtask may be given the entries of several former ones, or none.
    """

    @abstractmethod
    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        """Picklable entries that say where the function stands."""

    @abstractmethod
    def restore_state(self, state: list[Any]) -> None:
        """Called before ``open``, with the entries of the checkpoint; not called on a fresh start."""


def check_one_kind_of_state(function: Any) -> None:
    """Refuse a function whose ``snapshot_state`` would have two meanings."""
    if isinstance(function, ListCheckpointed) and isinstance(function, CheckpointedFunction):
        raise ProgramError(
            f"{type(function).__name__} is a ListCheckpointed and a CheckpointedFunction, which both have a snapshot_state; "
            "derive it from one of them"
        )
