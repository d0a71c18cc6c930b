"""The operators that read a savepoint in a job: they get numbers of old subtasks, and emit what is in their files."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.contracts.state import VOID_NAMESPACE, KeyedStateStore, StateDescriptor
from penstock.data.batch import RowBatch
from penstock.operators.contract import Operator, OperatorContext, OperatorSnapshot, OperatorSpec
from penstock.operators.process_records import FunctionLife
from penstock.operators.user_code import callable_of, user_error
from penstock.operators.window.contents import STATE_NAME as WINDOW_CONTENTS
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.native_entries import open_rocksdb_files
from penstock.state_processor.reader_functions import KeyedStateReaderContext, WindowReaderContext
from penstock.state_processor.saved_state import SavedState

_ROWS_PER_BATCH = 4096
Elements = Callable[[Any], list[Any] | None]


@dataclass(frozen=True, slots=True)
class ReadRowsSpec(OperatorSpec):
    """Emits the entries of one state of some subtasks; ``columns`` names the one that is a record, or those of a tuple."""

    state: SavedState
    columns: tuple[str, ...]

    def build(self, context: OperatorContext) -> Operator:
        return _ReadRows(self, context)


class _ReadRows(Operator):
    def __init__(self, spec: ReadRowsSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        columns = self._spec.columns
        for subtask in batch.values:
            state = self._spec.state if subtask is None else self._spec.state.of_subtask(subtask)
            if len(columns) == 1:
                _emit(self, (row[columns[0]] for row in state.rows()))
            else:
                _emit(self, (tuple(row[column] for column in columns) for row in state.rows()))


def _emit(operator: Operator, rows: Iterable[Any]) -> None:
    waiting: list[Any] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) >= _ROWS_PER_BATCH:
            operator.output.emit(RowBatch(waiting))
            waiting = []
    if waiting:
        operator.output.emit(RowBatch(waiting))


@dataclass(frozen=True, slots=True)
class ReadKeysSpec(OperatorSpec):
    """Calls a function for each key in the keyed state of some subtasks, or for each key and window.

    ``elements_of`` None: for each key. Otherwise it says what a window function would get of what is stored.
    """

    function: Any
    place: CheckpointPlace
    handles: tuple[OperatorStateHandle, ...]
    timers: str
    elements_of: Elements | None = None

    def build(self, context: OperatorContext) -> Operator:
        return _ReadKeys(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)


class _ReadKeys(Operator):
    """Reads the files of one old subtask after the other, so that the state of one of them is in memory at a time."""

    def __init__(self, spec: ReadKeysSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        for subtask in batch.values:
            self._read(subtask)

    def _read(self, subtask: int) -> None:
        spec = self._spec
        old = next(handle for handle in spec.handles if handle.subtask_index == subtask)
        place = SubtaskPlace(subtask, old.parallelism, old.max_parallelism)
        open_native = partial(open_rocksdb_files, self.context.settings)
        snapshot = read_operator_snapshot(spec.place, spec.handles, place, open_native)
        if snapshot is None:
            return
        state = _NotingState(old.max_parallelism, place.key_groups, self.context.clock)
        if snapshot.keyed is not None:
            state.restore([snapshot.keyed], place.key_groups)
        life = FunctionLife(spec.function, replace(self.context, keyed_state=state))
        try:
            life.open()
            ctx = _ReaderContext(state, _timers_of(snapshot, spec.timers))
            _emit(self, self._results(state, ctx, snapshot))
        finally:
            life.close()
            state.close()

    def _results(
        self, state: "_NotingState", ctx: "_ReaderContext", snapshot: OperatorSnapshot
    ) -> Iterable[Any]:
        elements_of = self._spec.elements_of
        try:
            if elements_of is not None:
                read_window = callable_of(self._spec.function, "read_window", "window")
                for key, window, stored in _windows_of(snapshot):
                    state.current_key, ctx.namespace = key, window
                    elements = elements_of(stored)
                    if elements is not None:
                        yield from read_window(key, ctx, elements) or ()
                return
            read_key = callable_of(self._spec.function, "read_key", "read_keyed_state")
            keys = dict.fromkeys(key for name in state.declared for key in state.keys(name))
            for key in keys:
                state.current_key = key
                yield from read_key(key, ctx) or ()
        except Exception as error:
            raise user_error(self.context, error) from error


class _NotingState(HashMapStateBackend):
    """Keyed state that knows which states were asked for."""

    __slots__ = ("declared",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.declared: dict[str, None] = {}

    def get_partitioned_state(self, namespace: Any, descriptor: StateDescriptor) -> Any:
        if namespace is VOID_NAMESPACE:
            self.declared[descriptor.name] = None
        return super().get_partitioned_state(namespace, descriptor)


Timers = dict[tuple[Any, Any], tuple[set[int], set[int]]]


def _timers_of(snapshot: OperatorSnapshot, name: str) -> Timers:
    """The times of event and processing time by key and namespace."""
    found: Timers = {}
    entries = snapshot.timers.get(name)
    for chunk in () if entries is None else entries.chunks():
        namespaces = chunk.namespaces or [None] * len(chunk)
        for key, namespace, (domain, time) in zip(chunk.keys, namespaces, chunk.values, strict=True):
            event, processing = found.setdefault((key, namespace), (set(), set()))
            (event if domain == "event" else processing).add(time)
    return found


def _windows_of(snapshot: OperatorSnapshot) -> Iterable[tuple[Any, Any, Any]]:
    if snapshot.keyed is None or WINDOW_CONTENTS not in snapshot.keyed.states:
        return
    for chunk in snapshot.keyed.states[WINDOW_CONTENTS].chunks():
        assert chunk.namespaces is not None
        yield from zip(chunk.keys, chunk.namespaces, chunk.values, strict=True)


class _ReaderContext(WindowReaderContext, KeyedStateReaderContext):
    """One object for all keys; ``namespace`` is the window, None outside of windows."""

    def __init__(self, state: HashMapStateBackend, timers: Timers) -> None:
        self._state = state
        self._timers = timers
        self.namespace: Any = None

    def registered_event_time_timers(self) -> set[int]:
        return self._registered()[0]

    def registered_processing_time_timers(self) -> set[int]:
        return self._registered()[1]

    def window(self) -> Any:
        return self.namespace

    def window_state(self) -> KeyedStateStore:
        return self._state.store(self.namespace)

    def global_state(self) -> KeyedStateStore:
        return self._state

    def _registered(self) -> tuple[set[int], set[int]]:
        return self._timers.get((self._state.current_key, self.namespace), (set(), set()))
