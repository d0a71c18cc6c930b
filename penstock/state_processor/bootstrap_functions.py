"""Functions that make the state of an operator out of records. Source: Flink's documentation, "State Processor API"."""

from abc import ABC, abstractmethod
from typing import Any

from penstock.contracts.checkpointing import CheckpointedFunction
from penstock.contracts.context import TimerService
from penstock.contracts.functions import Function
from penstock.contracts.state import BroadcastState, MapStateDescriptor


class BootstrapContext(ABC):
    """Given to ``process_element`` with each record; valid during the call only."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The clock's time, in milliseconds since the epoch."""


class BroadcastBootstrapContext(BootstrapContext):
    """The same, with broadcast state."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        """The broadcast state of this name, to be written."""


class KeyedBootstrapContext(ABC):
    """Given to ``process_element`` with each record of a key; valid during the call only."""

    @abstractmethod
    def timer_service(self) -> TimerService:
        """Timers of the current key: they are written, and fire in the job that starts from the savepoint."""

    @abstractmethod
    def get_current_key(self) -> Any:
        """The key of the record."""


class KeyedStateBootstrapFunction(Function):
    """Writes keyed state: ``open`` declares the states, ``process_element`` fills them for the key of each record.

    It gives no records; whatever it yields or returns is an error.
    """

    @abstractmethod
    def process_element(self, value: Any, ctx: KeyedBootstrapContext) -> None:
        """Put what ``value`` says into the state of its key."""


class StateBootstrapFunction(Function, CheckpointedFunction):
    """Writes operator state: ``initialize_state`` gets it, ``process_element`` gathers, ``snapshot_state`` fills it."""

    @abstractmethod
    def process_element(self, value: Any, ctx: BootstrapContext) -> None:
        """Gather what ``value`` says."""


class BroadcastStateBootstrapFunction(Function):
    """Writes broadcast state. One subtask sees all records."""

    @abstractmethod
    def process_element(self, value: Any, ctx: BroadcastBootstrapContext) -> None:
        """Put what ``value`` says into broadcast state."""
