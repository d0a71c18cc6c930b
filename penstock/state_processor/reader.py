"""The state of a savepoint as streams of a program."""

from collections.abc import Callable
from typing import Any

from penstock.checkpoint.handles import FileRole
from penstock.contracts.functions import AggregateFunction, ReduceFunction
from penstock.datastream.arguments import function_argument, type_argument
from penstock.datastream.stream import DataStream
from penstock.errors import StateError
from penstock.operators.contract import OperatorSpec
from penstock.operators.user_code import callable_of
from penstock.operators.user_timers import TIMERS_NAME
from penstock.operators.window.general import TIMERS_NAME as WINDOW_TIMERS
from penstock.state_processor.reader_functions import WindowReaderFunction
from penstock.state_processor.reading import Elements, ReadKeysSpec, ReadRowsSpec
from penstock.state_processor.savepoint import Operator, Savepoint
from penstock.windows.evictors import TimestampedValue


class SavepointReader:
    """Reads a savepoint, or a retained checkpoint, in a program; operators are named by ``OperatorIdentifier`` or by uid.

    The subtasks of the reading operators take the files of the old ones in turn.
    """

    def __init__(self, environment: Any, savepoint: Savepoint) -> None:
        self._environment = environment
        self.savepoint = savepoint

    @staticmethod
    def read(environment: Any, path: str) -> "SavepointReader":
        """Open the savepoint at a path or URL for a program.

        :raises StateError: when there is none, or it cannot be used.
        """
        return SavepointReader(environment, Savepoint.read(path))

    def read_list_state(self, operator: Operator, name: str, type_info: Any = None) -> DataStream[Any]:
        """The elements of an operator's list state of all subtasks."""
        return self._rows(operator, name, "operator-split", ("element",), type_info)

    def read_union_state(self, operator: Operator, name: str, type_info: Any = None) -> DataStream[Any]:
        """The elements of an operator's union list state of all subtasks, each once."""
        return self._rows(operator, name, "operator-union", ("element",), type_info)

    def read_broadcast_state(self, operator: Operator, name: str, type_info: Any = None) -> DataStream[Any]:
        """The pairs of key and value in an operator's broadcast state."""
        return self._rows(operator, name, "operator-broadcast", ("key", "value"), type_info)

    def read_keyed_state(self, operator: Operator, function: Any, type_info: Any = None) -> DataStream[Any]:
        """What a ``KeyedStateReaderFunction`` makes of the state of each key."""
        callable_of(function, "read_key", "read_keyed_state")
        return self.read_with("Read keyed state", operator, function, TIMERS_NAME, None, type_info)

    def window(self, assigner: Any = None) -> "WindowSavepointReader":
        """The windows of an operator; the assigner may be left out, as the windows stand in the savepoint."""
        return WindowSavepointReader(self)

    def read_with(
        self,
        name: str,
        operator: Operator,
        function: Any,
        timers: str,
        elements_of: Elements | None,
        type_info: Any,
    ) -> DataStream[Any]:
        """A stream of what a function makes of the keys of an operator."""
        record = self.savepoint.record(operator)
        handles = tuple(
            handle
            for handle in record.handles
            if any(file.role in (FileRole.KEYED, FileRole.TIMERS, FileRole.NATIVE) for file in handle.files)
        )
        spec = ReadKeysSpec(function, self.savepoint.place, handles, timers, elements_of)
        return self._then(name, spec, [handle.subtask_index for handle in handles], type_info)

    def _rows(
        self, operator: Operator, name: str, kind: str, columns: tuple[str, ...], type_info: Any
    ) -> DataStream[Any]:
        state = self.savepoint.state(operator, name)
        if state.content.kind != kind:
            raise StateError(f"state {name!r} is of the kind {state.content.kind}, not {kind}")
        subtasks: list[int | None] = [handle.subtask_index for handle in state.handles]
        spec = ReadRowsSpec(state, columns)
        return self._then(
            f"Read {name}", spec, [None] if kind == "operator-broadcast" else subtasks, type_info
        )

    def _then(self, name: str, spec: OperatorSpec, subtasks: list[Any], type_info: Any) -> DataStream[Any]:
        output_type = type_argument(type_info, "type_info")
        source: DataStream[Any] = self._environment.from_collection(subtasks).name(
            "Subtasks of the savepoint"
        )
        return source.rebalance()._then(name, spec, output_type)


class WindowSavepointReader:
    """Reads what the windows of an operator hold, for an operator that reduces, aggregates or keeps all records.

    Where there is an evictor, the windows keep all their records whatever is made of them: read them with ``process``.
    Without a reader function the records are triples of key, window, and the result or the list of records.
    """

    def __init__(self, reader: SavepointReader) -> None:
        self._reader = reader

    def reduce(
        self,
        operator: Operator,
        function: ReduceFunction | Callable[[Any, Any], Any],
        reader_function: WindowReaderFunction | None = None,
        type_info: Any = None,
    ) -> DataStream[Any]:
        """Windows that were reduced: one record each."""
        function_argument(function, "reduce", ReduceFunction, 2)
        return self._read(operator, reader_function, _one, type_info)

    def aggregate(
        self,
        operator: Operator,
        function: AggregateFunction,
        reader_function: WindowReaderFunction | None = None,
        type_info: Any = None,
    ) -> DataStream[Any]:
        """Windows that were aggregated: the result of the accumulator."""
        callable_of(function, "get_result", "aggregate")
        return self._read(operator, reader_function, _ResultOf(function), type_info)

    def process(
        self,
        operator: Operator,
        reader_function: WindowReaderFunction | None = None,
        type_info: Any = None,
    ) -> DataStream[Any]:
        """Windows that keep all their records."""
        return self._read(operator, reader_function, _records, type_info)

    def _read(
        self, operator: Operator, reader: Any, elements_of: Elements, type_info: Any
    ) -> DataStream[Any]:
        if reader is None:
            reader = _AllElements() if elements_of is _records else _OneElement()
        callable_of(reader, "read_window", "window")
        return self._reader.read_with("Read windows", operator, reader, WINDOW_TIMERS, elements_of, type_info)


def _one(stored: Any) -> list[Any]:
    return [stored]


def _records(stored: list[Any]) -> list[Any]:
    """Where there is an evictor, records are kept with their times."""
    return [each.get_value() if isinstance(each, TimestampedValue) else each for each in stored]


class _ResultOf:
    def __init__(self, function: Any) -> None:
        self._function = function

    def __call__(self, accumulator: Any) -> list[Any]:
        return [self._function.get_result(accumulator)]


class _OneElement(WindowReaderFunction):
    def read_window(self, key: Any, ctx: Any, elements: Any) -> Any:
        return [(key, ctx.window(), elements[0])]


class _AllElements(WindowReaderFunction):
    def read_window(self, key: Any, ctx: Any, elements: Any) -> Any:
        return [(key, ctx.window(), elements)]
