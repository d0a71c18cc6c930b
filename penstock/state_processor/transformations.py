"""How the state of an operator is made out of a stream. Source: Flink's documentation, "State Processor API"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from penstock.contracts.functions import AggregateFunction, ReduceFunction
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.key_groups import HIGHEST_MAX_PARALLELISM
from penstock.datastream.arguments import function_argument
from penstock.datastream.keyed import KeyedStream
from penstock.datastream.program import positive
from penstock.datastream.stream import DataStream
from penstock.datastream.windowed import WindowedStream
from penstock.errors import ProgramError
from penstock.operators.contract import OperatorSpec, Origin
from penstock.operators.keyed_process import KeyedProcessSpec
from penstock.operators.user_code import origin_of_caller, shorten
from penstock.operators.window.spec import Contents, Evaluation, WindowSpec
from penstock.state_processor.bootstrap_functions import (
    BroadcastStateBootstrapFunction,
    KeyedStateBootstrapFunction,
    StateBootstrapFunction,
)
from penstock.state_processor.bootstrapping import OperatorStateSpec
from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.evictors import Evictor
from penstock.windows.triggers.trigger import Trigger


class OperatorTransformation:
    """Where the state of an operator begins; see :class:`~penstock.state_processor.SavepointWriter`."""

    @staticmethod
    def bootstrap_with(stream: DataStream[Any]) -> "OneInputStateTransformation":
        """State that is made of the records of a bounded stream."""
        if not isinstance(stream, DataStream) or isinstance(stream, KeyedStream):
            raise ProgramError(
                f"bootstrap_with takes a DataStream without keys, not {shorten(stream)}; key_by comes behind it "
                f"({origin_of_caller()})"
            )
        return OneInputStateTransformation(stream, None)


@dataclass(frozen=True, slots=True)
class StateBootstrapTransformation:
    """The state of one operator, to be given to ``SavepointWriter.with_operator``.

    ``max_parallelism`` None takes that of the savepoint. ``alone``: one subtask makes all of it.
    """

    stream: DataStream[Any]
    spec: OperatorSpec
    max_parallelism: int | None
    alone: bool = False
    origin: Origin | None = None


class OneInputStateTransformation:
    """Records without keys: ``transform`` makes operator state of them, ``key_by`` leads to keyed state and windows."""

    def __init__(self, stream: DataStream[Any], max_parallelism: int | None) -> None:
        self._stream = stream
        self._max_parallelism = max_parallelism

    def set_max_parallelism(self, max_parallelism: int) -> Self:
        """Another number of key groups than the other operators of the savepoint have."""
        self._max_parallelism = checked_max_parallelism(max_parallelism)
        return self

    def assign_timestamps(self, assigner: Any) -> "OneInputStateTransformation":
        """Give records their event times, as windows need: a ``TimestampAssigner``, or a function of record and time."""
        strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(assigner)
        stamped = self._stream.assign_timestamps_and_watermarks(strategy)
        return OneInputStateTransformation(stamped, self._max_parallelism)

    def key_by(self, key_selector: Any, key_type: Any = None) -> "KeyedStateTransformation":
        """Bring records with equal keys together, by the key that the operator has in the job."""
        return KeyedStateTransformation(self._stream.key_by(key_selector, key_type), self._max_parallelism)

    def transform(
        self, function: StateBootstrapFunction | BroadcastStateBootstrapFunction
    ) -> StateBootstrapTransformation:
        """Operator state or broadcast state, which a function writes."""
        if not isinstance(function, StateBootstrapFunction | BroadcastStateBootstrapFunction):
            raise ProgramError(
                "without keys transform takes a StateBootstrapFunction or a BroadcastStateBootstrapFunction, not "
                f"{shorten(function)}; a KeyedStateBootstrapFunction comes behind key_by ({origin_of_caller()})"
            )
        is_broadcast = isinstance(function, BroadcastStateBootstrapFunction)
        own = function_argument(function, "process_element", type(function), 2)
        return StateBootstrapTransformation(
            self._stream, OperatorStateSpec(own), self._max_parallelism, is_broadcast, origin_of_caller()
        )


class KeyedStateTransformation:
    """Records by key: ``transform`` makes keyed state of them, ``window`` the windows that an operator has open."""

    def __init__(self, stream: KeyedStream[Any], max_parallelism: int | None) -> None:
        self._stream = stream
        self._max_parallelism = max_parallelism

    def transform(self, function: KeyedStateBootstrapFunction) -> StateBootstrapTransformation:
        """Keyed state and timers, which a function writes."""
        if not isinstance(function, KeyedStateBootstrapFunction):
            raise ProgramError(
                f"behind key_by transform takes a KeyedStateBootstrapFunction, not {shorten(function)} ({origin_of_caller()})"
            )
        own = function_argument(function, "process_element", KeyedStateBootstrapFunction, 2)
        return StateBootstrapTransformation(
            self._stream, KeyedProcessSpec(own), self._max_parallelism, origin=origin_of_caller()
        )

    def window(self, assigner: WindowAssigner[Any, Any]) -> "WindowedStateTransformation":
        """Windows as the operator has them in the job; no window ends while they are made."""
        return WindowedStateTransformation(self._stream, assigner, self._max_parallelism)


class WindowedStateTransformation:
    """Open windows of an operator. Say of them what the job says: assigner, trigger, evictor, what becomes of records."""

    def __init__(
        self, stream: KeyedStream[Any], assigner: WindowAssigner[Any, Any], max_parallelism: int | None
    ) -> None:
        self._stream = stream
        self._windows = _DescribedWindows(stream, assigner)
        self._max_parallelism = max_parallelism

    def trigger(self, trigger: Trigger[Any, Any]) -> Self:
        """When windows are evaluated, in place of the assigner's default."""
        self._windows.trigger(trigger)
        return self

    def evictor(self, evictor: Evictor[Any, Any]) -> Self:
        """What removes records from a window that fires; windows keep all their records."""
        self._windows.evictor(evictor)
        return self

    def reduce(
        self, reduce_function: ReduceFunction[Any] | Callable[[Any, Any], Any], window_function: Any = None
    ) -> StateBootstrapTransformation:
        """Windows that hold one value per key."""
        self._windows.reduce(reduce_function, window_function)
        return self._done()

    def aggregate(
        self,
        aggregate_function: AggregateFunction,
        window_function: Any = None,
        accumulator_type: Any = None,
    ) -> StateBootstrapTransformation:
        """Windows that hold one accumulator per key."""
        self._windows.aggregate(aggregate_function, window_function, accumulator_type)
        return self._done()

    def apply(self, window_function: Any) -> StateBootstrapTransformation:
        """Windows that keep all their records, for a ``WindowFunction``."""
        self._windows.apply(window_function)
        return self._done()

    def process(self, process_window_function: Any) -> StateBootstrapTransformation:
        """Windows that keep all their records, for a ``ProcessWindowFunction``."""
        self._windows.process(process_window_function)
        return self._done()

    def _done(self) -> StateBootstrapTransformation:
        assert self._windows.described is not None
        return StateBootstrapTransformation(
            self._stream, self._windows.described, self._max_parallelism, origin=origin_of_caller()
        )


class _DescribedWindows(WindowedStream[Any]):
    """Keeps the operator that would be added to the program."""

    described: WindowSpec | None = None

    def _add(
        self, contents: Contents, evaluation: Evaluation, output_type: Any, described: str
    ) -> DataStream[Any]:
        self.described = self._spec(contents, evaluation, output_type)
        return self._keyed_stream


def checked_max_parallelism(max_parallelism: Any) -> int:
    """A number of key groups.

    :raises ProgramError: for anything else, at the user's line.
    """
    if positive("maximum parallelism", max_parallelism) > HIGHEST_MAX_PARALLELISM:
        raise ProgramError(
            f"maximum parallelism is {max_parallelism}; the most is {HIGHEST_MAX_PARALLELISM} ({origin_of_caller()})"
        )
    return int(max_parallelism)
