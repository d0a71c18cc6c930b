"""Broadcast state: a stream that every subtask sees whole, connected with one that is spread."""

from typing import Any, Generic, TypeVar

from penstock.contracts.broadcast_functions import BroadcastProcessFunction, KeyedBroadcastProcessFunction
from penstock.contracts.element_type import T, U
from penstock.contracts.partitioning import Broadcast
from penstock.contracts.state import MapStateDescriptor
from penstock.datastream.arguments import type_argument
from penstock.datastream.connected import two_inputs
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.stream import DataStream
from penstock.errors import TypeMismatch
from penstock.operators.broadcast_process import BroadcastProcessSpec, KeyedBroadcastProcessSpec
from penstock.operators.user_code import origin_of_caller, shorten

R = TypeVar("R")


class BroadcastStream(Generic[T]):
    """A stream that goes to every subtask to fill broadcast state; all that can be done with it is ``connect``."""

    def __init__(self, input_stream: DataStream[T], broadcast_state_descriptors: tuple[Any, ...]) -> None:
        for descriptor in broadcast_state_descriptors:
            if not isinstance(descriptor, MapStateDescriptor):
                raise TypeMismatch(
                    f"broadcast takes descriptors of map state, not {shorten(descriptor)} ({origin_of_caller()})"
                )
        self.input_stream = input_stream._spread(Broadcast())
        self.broadcast_state_descriptors = broadcast_state_descriptors
        self._environment = input_stream._environment


class BroadcastConnectedStream(Generic[T, U]):
    """A stream, keyed or not, together with a broadcast stream."""

    def __init__(self, non_broadcast_stream: DataStream[T], broadcast_stream: BroadcastStream[U]) -> None:
        self.non_broadcast_stream = non_broadcast_stream
        self.broadcast_stream = broadcast_stream
        self.broadcast_state_descriptors = broadcast_stream.broadcast_state_descriptors

    def process(
        self,
        func: BroadcastProcessFunction[T, U, R] | KeyedBroadcastProcessFunction[Any, T, U, R],
        output_type: Any = None,
    ) -> DataStream[R]:
        """Process both: the broadcast side writes the state, the other side reads it. In BATCH mode the former comes first.

        >>> from penstock.contracts.state import MapStateDescriptor
        >>> from penstock.datastream import BroadcastProcessFunction, RuntimeExecutionMode, StreamExecutionEnvironment
        >>> PRICES = MapStateDescriptor("prices")
        >>> class Price(BroadcastProcessFunction):
        ...     def process_element(self, value, ctx):
        ...         yield value, ctx.get_broadcast_state(PRICES).get(value)
        ...     def process_broadcast_element(self, value, ctx):
        ...         ctx.get_broadcast_state(PRICES).put(*value)
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> _ = env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        >>> prices = env.from_collection([("tea", 3), ("bun", 2)]).broadcast(PRICES)
        >>> priced = env.from_collection(["bun", "jam"]).connect(prices).process(Price())
        >>> with priced.execute_and_collect() as results:
        ...     list(results)
        [('bun', 2), ('jam', None)]
        """
        type_argument(output_type, "output_type")
        keyed = isinstance(self.non_broadcast_stream, KeyedStream)
        self._check(func, keyed)
        spec_type = KeyedBroadcastProcessSpec if keyed else BroadcastProcessSpec
        spec = spec_type(func, self.broadcast_state_descriptors, output_type)
        name = "Keyed-Co-Process-Broadcast" if keyed else "Co-Process-Broadcast"
        return two_inputs(
            self.non_broadcast_stream, self.broadcast_stream.input_stream, name, spec, output_type
        )

    def _check(self, func: Any, keyed: bool) -> None:
        if keyed and isinstance(func, BroadcastProcessFunction):
            raise TypeMismatch(
                "BroadcastProcessFunction should be applied to non-keyed DataStream; "
                f"use a KeyedBroadcastProcessFunction ({origin_of_caller()})"
            )
        if not keyed and isinstance(func, KeyedBroadcastProcessFunction):
            raise TypeMismatch(
                "KeyedBroadcastProcessFunction should be applied to keyed DataStream; "
                f"call key_by before connect, or use a BroadcastProcessFunction ({origin_of_caller()})"
            )
        methods = ("process_element", "process_broadcast_element")
        if isinstance(func, type) or not all(callable(getattr(func, method, None)) for method in methods):
            wanted = KeyedBroadcastProcessFunction if keyed else BroadcastProcessFunction
            raise TypeMismatch(
                f"process takes a {wanted.__name__}, not {shorten(func)} ({origin_of_caller()})"
            )
