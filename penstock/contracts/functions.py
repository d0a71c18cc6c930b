"""The functions that users write, with PyFlink's names and signatures.

Wherever a function class is expected a plain function or lambda does as well. ``open`` is called once per subtask before the
first record, ``close`` once after the last, also after a failure. One instance serves one subtask and is never called
concurrently. Source: Flink's documentation, "User-Defined Functions" and "Process Function".
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Generic, TypeAlias, TypeVar

from penstock.contracts.context import (
    KeyedOnTimerContext,
    KeyedProcessContext,
    ProcessContext,
    RuntimeContext,
    WindowContext,
)
from penstock.contracts.element_type import A, I1_contra, I2_contra, I_contra, K, O_co, T
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.reduce_callable import CallableReduceFunction

IN = TypeVar("IN")
IN1 = TypeVar("IN1")
IN2 = TypeVar("IN2")
OUT = TypeVar("OUT")
ACC = TypeVar("ACC")
KEY = TypeVar("KEY")
W = TypeVar("W")


class Function(ABC):  # noqa: B024 - open and close are optional on purpose
    """Anything with a life: opened once per subtask, closed once."""

    def open(self, runtime_context: RuntimeContext) -> None:  # noqa: B027
        """Called once before the first record; state handles and metrics are made here."""

    def close(self) -> None:  # noqa: B027
        """Called once after the last record, and after a failure."""


class MapFunction(Function, Generic[I_contra, O_co]):
    """One value in, one value out."""

    @abstractmethod
    def map(self, value: I_contra) -> O_co:
        """The value to emit."""


class FlatMapFunction(Function, Generic[I_contra, O_co]):
    """One value in, any number out."""

    @abstractmethod
    def flat_map(self, value: I_contra) -> Iterable[O_co] | None:
        """The values to emit, as any iterable (a generator too), or None for none."""


class FilterFunction(Function, Generic[I_contra]):
    """Decides which values stay."""

    @abstractmethod
    def filter(self, value: I_contra) -> bool:
        """True for a value that stays."""


class CoMapFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """``map`` over two connected streams."""

    @abstractmethod
    def map1(self, value: I1_contra) -> O_co | None:
        """The value to emit for a value of the first stream; None emits nothing."""

    @abstractmethod
    def map2(self, value: I2_contra) -> O_co | None:
        """The value to emit for a value of the second stream; None emits nothing."""


class CoFlatMapFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """``flat_map`` over two connected streams."""

    @abstractmethod
    def flat_map1(self, value: I1_contra) -> Iterable[O_co] | None:
        """The values to emit for a value of the first stream."""

    @abstractmethod
    def flat_map2(self, value: I2_contra) -> Iterable[O_co] | None:
        """The values to emit for a value of the second stream."""


class ReduceFunction(Function, Generic[T]):
    """Combines two values of one type into one; must be associative."""

    @abstractmethod
    def reduce(self, value1: T, value2: T) -> T:
        """The combination of what was reduced so far with the next value."""


ReduceFunction.register(CallableReduceFunction)


class AggregateFunction(Function, Generic[I_contra, A, O_co]):
    """Aggregates values of one type through an accumulator into a result of another."""

    @abstractmethod
    def create_accumulator(self) -> A:
        """A fresh accumulator."""

    @abstractmethod
    def add(self, value: I_contra, accumulator: A) -> A:
        """The accumulator after ``value``; may change and return the one given."""

    @abstractmethod
    def get_result(self, accumulator: A) -> O_co:
        """The result to emit; the accumulator goes on being used."""

    @abstractmethod
    def merge(self, acc_a: A, acc_b: A) -> A:
        """The accumulator of both parts; called for windows that merge."""


class KeySelector(Function):
    """Extracts the key of a value."""

    @abstractmethod
    def get_key(self, value: Any) -> Any:
        """The key: hashable, and the same whenever asked."""


class Partitioner(Function):
    """Chooses the channel for a key."""

    @abstractmethod
    def partition(self, key: Any, num_partitions: int) -> int:
        """A channel from 0 up to ``num_partitions`` - 1."""


class ProcessFunction(Function, Generic[I_contra, O_co]):
    """The general function on a stream without keys: any number out, side outputs, time stamps."""

    Context: TypeAlias = ProcessContext

    @abstractmethod
    def process_element(
        self, value: I_contra, ctx: ProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit; a pair ``(OutputTag, value)`` goes to that side output."""


class KeyedProcessFunction(Function, Generic[K, I_contra, O_co]):
    """The general function on a keyed stream: state, timers, side outputs."""

    Context: TypeAlias = KeyedProcessContext
    OnTimerContext: TypeAlias = KeyedOnTimerContext

    @abstractmethod
    def process_element(
        self, value: I_contra, ctx: KeyedProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit; a pair ``(OutputTag, value)`` goes to that side output."""

    def on_timer(
        self, timestamp: int, ctx: KeyedOnTimerContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """Called when a timer fires; ``timestamp`` is the one that it was registered for."""


class CoProcessFunction(Function, Generic[I1_contra, I2_contra, O_co]):
    """The general function over two connected streams without keys."""

    Context: TypeAlias = ProcessContext

    @abstractmethod
    def process_element1(
        self, value: I1_contra, ctx: ProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a value of the first stream."""

    @abstractmethod
    def process_element2(
        self, value: I2_contra, ctx: ProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a value of the second stream."""


class KeyedCoProcessFunction(Function, Generic[K, I1_contra, I2_contra, O_co]):
    """The general function over two connected streams with one key: shared state and timers."""

    Context: TypeAlias = KeyedProcessContext
    OnTimerContext: TypeAlias = KeyedOnTimerContext

    @abstractmethod
    def process_element1(
        self, value: I1_contra, ctx: KeyedProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a value of the first stream."""

    @abstractmethod
    def process_element2(
        self, value: I2_contra, ctx: KeyedProcessContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """The values to emit for a value of the second stream."""

    def on_timer(
        self, timestamp: int, ctx: KeyedOnTimerContext
    ) -> Iterable[O_co | tuple[OutputTag[Any], Any]] | None:
        """Called when a timer fires; ``timestamp`` is the one that it was registered for."""


class WindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Evaluates the records of one window of one key."""

    @abstractmethod
    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit for the window."""


class AllWindowFunction(Function, Generic[IN, OUT, W]):
    """Evaluates the records of one window of a stream without keys."""

    @abstractmethod
    def apply(self, window: Any, inputs: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit for the window."""


class ProcessWindowFunction(Function, Generic[IN, OUT, KEY, W]):
    """Evaluates the records of one window of one key, with state per window and per key."""

    Context: TypeAlias = WindowContext

    @abstractmethod
    def process(self, key: Any, context: WindowContext[Any], elements: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit; a pair ``(OutputTag, value)`` goes to that side output."""

    def clear(self, context: WindowContext[Any]) -> None:
        """Called when the window is dropped; delete what was kept in ``context.window_state()``."""


class ProcessAllWindowFunction(Function, Generic[IN, OUT, W]):
    """Evaluates the records of one window of a stream without keys, with state."""

    Context: TypeAlias = WindowContext

    @abstractmethod
    def process(self, context: WindowContext[Any], elements: Iterable[Any]) -> Iterable[Any] | None:
        """The values to emit; a pair ``(OutputTag, value)`` goes to that side output."""

    def clear(self, context: WindowContext[Any]) -> None:
        """Called when the window is dropped; delete what was kept in ``context.window_state()``."""
