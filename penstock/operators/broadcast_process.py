"""Functions over a stream (port 0) and a broadcast stream (port 1), with broadcast state that every subtask has whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from penstock.contracts.broadcast_functions import (
    BroadcastOnTimerContext,
    BroadcastSideContext,
    KeyedBroadcastSideContext,
    KeyedReadOnlySideContext,
    ReadOnlySideContext,
)
from penstock.contracts.context import TimerService
from penstock.contracts.state import (
    VOID_NAMESPACE,
    BroadcastState,
    KeyedStateBackend,
    MapStateDescriptor,
    OperatorStateStore,
    ReadOnlyBroadcastState,
    StateDescriptor,
)
from penstock.data.batch import RowBatch
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.keyed_process import KeyedProcess
from penstock.operators.pieces import Work
from penstock.operators.process import Process
from penstock.operators.process_contexts import FiringContext, KeyedRecordContext, RecordContext
from penstock.operators.process_records import Calls
from penstock.operators.user_timers import TimerContext

METHODS = ("process_element", "process_broadcast_element")
BROADCAST_PORT = 1


@dataclass(frozen=True, slots=True)
class BroadcastProcessSpec(SharingSpec):
    """A stream without keys. ``descriptors`` are the states that were named when the other stream was broadcast."""

    ports: ClassVar[int] = 2

    function: Any
    descriptors: tuple[MapStateDescriptor, ...]
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return BroadcastProcess(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)

    @property
    def first_port(self) -> int | None:
        return BROADCAST_PORT


@dataclass(frozen=True, slots=True)
class KeyedBroadcastProcessSpec(SharingSpec):
    """A keyed stream."""

    ports: ClassVar[int] = 2

    function: Any
    descriptors: tuple[MapStateDescriptor, ...]
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return KeyedBroadcastProcess(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)

    @property
    def first_port(self) -> int | None:
        return BROADCAST_PORT

    @property
    def uses_keyed_state(self) -> bool:
        return True


class BroadcastProcess(Process):
    """Only the contexts differ from any other process function of two inputs."""

    def __init__(self, spec: BroadcastProcessSpec, context: OperatorContext) -> None:
        self._states = _BroadcastStates(context, spec.descriptors)
        super().__init__(context, spec.function, spec.output_type, METHODS)

    def _context_of(self, port: int) -> RecordContext:
        kind = _BroadcastContext if port == BROADCAST_PORT else _ReadOnlyContext
        return kind(self._collector, self._time, self._states)

    def open(self) -> None:
        self._states.open()
        super().open()


class KeyedBroadcastProcess(KeyedProcess):
    """There is no current key while a broadcast record is processed."""

    def __init__(self, spec: KeyedBroadcastProcessSpec, context: OperatorContext) -> None:
        self._states = _BroadcastStates(context, spec.descriptors)
        super().__init__(context, spec.function, spec.output_type, METHODS)
        self._no_key = self._keyed_state.current_key
        broadcast_context = _KeyedBroadcastContext(
            self._collector, self._firing.service, self._states, self._keyed_state
        )
        self._broadcast_calls = Calls(context, self._process[BROADCAST_PORT], broadcast_context)

    def _context_of_records(self, timer_service: TimerService) -> KeyedRecordContext:
        return _KeyedReadOnlyContext(self._collector, timer_service, self._keyed_state, self._states)

    def _timer_context(self, timer_service: TimerService) -> TimerContext:
        return _OnTimerContext(self._collector, timer_service, self._keyed_state, self._states)

    def open(self) -> None:
        self._states.open()
        super().open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if port != BROADCAST_PORT:
            super().on_batch(batch, port)
            return
        self.context.pieces.run(self._broadcast(batch))

    def _broadcast(self, batch: RowBatch) -> Work:
        self._keyed_state.current_key = self._no_key
        return (yield from self._broadcast_calls.run(batch, self._collector.emit_results))


class _BroadcastStates:
    """The broadcast states by name, with their read-only views. Those that were not named before come on first use."""

    def __init__(self, context: OperatorContext, descriptors: tuple[MapStateDescriptor, ...]) -> None:
        assert context.operator_state is not None
        self._store: OperatorStateStore = context.operator_state
        self._descriptors = descriptors
        self._found: dict[str, tuple[BroadcastState[Any, Any], ReadOnlyBroadcastState[Any, Any]]] = {}

    def open(self) -> None:
        """Have the named states, so that they are in every snapshot."""
        for descriptor in self._descriptors:
            self._find(descriptor)

    def writable(self, descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        return self._find(descriptor)[0]

    def read_only(self, descriptor: MapStateDescriptor) -> ReadOnlyBroadcastState[Any, Any]:
        return self._find(descriptor)[1]

    def _find(
        self, descriptor: MapStateDescriptor
    ) -> tuple[BroadcastState[Any, Any], ReadOnlyBroadcastState[Any, Any]]:
        found = self._found.get(getattr(descriptor, "name", ""))
        if found is None:
            state = self._store.get_broadcast_state(descriptor)
            found = self._found[descriptor.name] = (state, state.read_only())
        return found


class _WithStates:
    """The part of the contexts that both sides have. Comes before the context whose fields it uses."""

    __slots__ = ()

    _states: _BroadcastStates
    _timer_service: TimerService

    def current_processing_time(self) -> int:
        return self._timer_service.current_processing_time()

    def current_watermark(self) -> int:
        return self._timer_service.current_watermark()


class _Reading(_WithStates):
    """The part of the contexts that may only read."""

    __slots__ = ()

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> ReadOnlyBroadcastState[Any, Any]:
        return self._states.read_only(state_descriptor)


class _BroadcastContext(_WithStates, RecordContext, BroadcastSideContext):
    __slots__ = ("_states",)

    def __init__(self, collector: Collector, timer_service: TimerService, states: _BroadcastStates) -> None:
        super().__init__(collector, timer_service)
        self._states = states

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        return self._states.writable(state_descriptor)


class _ReadOnlyContext(_Reading, RecordContext, ReadOnlySideContext):
    __slots__ = ("_states",)

    def __init__(self, collector: Collector, timer_service: TimerService, states: _BroadcastStates) -> None:
        super().__init__(collector, timer_service)
        self._states = states


class _KeyedBroadcastContext(_BroadcastContext, KeyedBroadcastSideContext):
    __slots__ = ("_keyed_state",)

    def __init__(
        self,
        collector: Collector,
        timer_service: TimerService,
        states: _BroadcastStates,
        keyed_state: KeyedStateBackend,
    ) -> None:
        super().__init__(collector, timer_service, states)
        self._keyed_state = keyed_state

    def apply_to_keyed_state(
        self, state_descriptor: StateDescriptor, function: Callable[[Any, Any], None]
    ) -> None:
        self._keyed_state.apply_to_all_keys(VOID_NAMESPACE, state_descriptor, function)


class _KeyedReadOnlyContext(_Reading, KeyedRecordContext, KeyedReadOnlySideContext):
    __slots__ = ("_states",)

    def __init__(
        self,
        collector: Collector,
        timer_service: TimerService,
        keyed_state: KeyedStateBackend,
        states: _BroadcastStates,
    ) -> None:
        super().__init__(collector, timer_service, keyed_state)
        self._states = states


class _OnTimerContext(_Reading, FiringContext, BroadcastOnTimerContext):
    __slots__ = ("_states",)

    def __init__(
        self,
        collector: Collector,
        timer_service: TimerService,
        keyed_state: KeyedStateBackend,
        states: _BroadcastStates,
    ) -> None:
        super().__init__(collector, timer_service, keyed_state)
        self._states = states
