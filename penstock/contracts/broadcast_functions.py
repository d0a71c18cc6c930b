"""Functions over a stream and a broadcast stream, which share broadcast state. PyFlink's names and signatures."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeAlias

from penstock.contracts.context import TimeDomain, TimerService
from penstock.contracts.element_type import I1_contra, I2_contra, K, O_co
from penstock.contracts.functions import Function
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.state import (
    BroadcastState,
    MapStateDescriptor,
    ReadOnlyBroadcastState,
    StateDescriptor,
)


class AnySideContext(ABC):
    """What the contexts of both sides have; valid during the call only."""

    @abstractmethod
    def timestamp(self) -> int | None:
        """The event time of the record or timer."""

    @abstractmethod
    def current_processing_time(self) -> int:
        """The clock's time."""

    @abstractmethod
    def current_watermark(self) -> int:
        """The event time up to which both streams are complete."""

    @abstractmethod
    def output(self, output_tag: Any, value: Any) -> None:
        """Emit to a side output; the same as yielding ``(output_tag, value)``."""


class BroadcastSideContext(AnySideContext):
    """Given to ``process_broadcast_element``: may change the broadcast state."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        """The broadcast state of that name."""


class ReadOnlySideContext(AnySideContext):
    """Given to ``process_element``: may read the broadcast state."""

    @abstractmethod
    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> ReadOnlyBroadcastState[Any, Any]:
        """The broadcast state of that name, to be read."""


class KeyedBroadcastSideContext(BroadcastSideContext):
    """A :class:`BroadcastSideContext` on a keyed stream."""

    @abstractmethod
    def apply_to_keyed_state(
        self, state_descriptor: StateDescriptor, function: Callable[[Any, Any], None]
    ) -> None:
        """Call ``function(key, state)`` for each key of this subtask that has something in a state."""


class KeyedReadOnlySideContext(ReadOnlySideContext):
    """A :class:`ReadOnlySideContext` on a keyed stream."""

    @abstractmethod
    def timer_service(self) -> TimerService:
        """Time and timers of the current key."""

    @abstractmethod
    def get_current_key(self) -> Any:
        """The key of the record."""


class BroadcastOnTimerContext(KeyedReadOnlySideContext):
    """Given to ``on_timer``."""

    @abstractmethod
    def time_domain(self) -> TimeDomain:
        """Which kind of timer fired."""


class BaseBroadcastProcessFunction(Function):
    """What both functions over a broadcast stream have in common."""

    BaseContext: TypeAlias = AnySideContext
    Context: TypeAlias = BroadcastSideContext
    ReadOnlyContext: TypeAlias = ReadOnlySideContext


class BroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[I1_contra, I2_contra, O_co]):
    """Over a stream without keys and a broadcast stream.

    ``process_broadcast_element`` is called in every subtask and must do the same in each: the state has to stay equal, and
    records of the broadcast stream may come in another order in each.
    """

    @abstractmethod
    def process_element(
        self, value: I1_contra, ctx: ReadOnlySideContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a record of the stream."""

    @abstractmethod
    def process_broadcast_element(
        self, value: I2_contra, ctx: BroadcastSideContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a record of the broadcast stream; here the state is changed."""


class KeyedBroadcastProcessFunction(BaseBroadcastProcessFunction, Generic[K, I1_contra, I2_contra, O_co]):
    """Over a keyed stream and a broadcast stream; keyed state and timers are there for the keyed side alone."""

    Context: TypeAlias = KeyedBroadcastSideContext
    ReadOnlyContext: TypeAlias = KeyedReadOnlySideContext
    OnTimerContext: TypeAlias = BroadcastOnTimerContext

    @abstractmethod
    def process_element(
        self, value: I1_contra, ctx: KeyedReadOnlySideContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a record of the keyed stream."""

    @abstractmethod
    def process_broadcast_element(
        self, value: I2_contra, ctx: KeyedBroadcastSideContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a record of the broadcast stream; here the state is changed."""

    def on_timer(
        self, timestamp: int, ctx: BroadcastOnTimerContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """Called when a timer fires; ``timestamp`` is the one that it was registered for."""
