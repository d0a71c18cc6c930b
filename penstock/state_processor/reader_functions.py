"""Functions that read keyed state and windows, key by key. Source: Flink's documentation, "State Processor API"."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from penstock.contracts.functions import Function
from penstock.contracts.state import KeyedStateStore


class KeyedStateReaderContext(ABC):
    """Given to ``read_key``; valid during the call only."""

    @abstractmethod
    def registered_event_time_timers(self) -> set[int]:
        """When the key's timers of event time would fire."""

    @abstractmethod
    def registered_processing_time_timers(self) -> set[int]:
        """When the key's timers of processing time would fire."""


class KeyedStateReaderFunction(Function):
    """Reads the state of one key after the other.

    ``open`` declares the states, under the names and of the kinds that they had in the job; ``read_key`` is called for every
    key that any of them has something for, and what it returns or yields goes downstream.
    """

    @abstractmethod
    def read_key(self, key: Any, ctx: KeyedStateReaderContext) -> Iterable[Any] | None:
        """Look at the state of ``key``, which the declared states show."""


class WindowReaderContext(KeyedStateReaderContext):
    """Given to ``read_window``; valid during the call only."""

    @abstractmethod
    def window(self) -> Any:
        """The window."""

    @abstractmethod
    def window_state(self) -> KeyedStateStore:
        """State that the window function had for this key and window."""

    @abstractmethod
    def global_state(self) -> KeyedStateStore:
        """State that the window function had for this key."""


class WindowReaderFunction(Function):
    """Reads what one window of one key holds."""

    @abstractmethod
    def read_window(
        self, key: Any, ctx: WindowReaderContext, elements: Iterable[Any]
    ) -> Iterable[Any] | None:
        """``elements``: the records of the window; where it is reduced or aggregated, its only result so far."""
