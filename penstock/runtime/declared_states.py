"""What operators declare when they are opened, compared with what was saved of them; no record is processed for it.

Functions declare their states in ``open``, so whoever wants to know them has to call it. It is called once for each operator,
with states that are there but empty; values that were saved are read only where their type has changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from penstock.checkpoint.manifest import OperatorRecord
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.restore_report import Declared, StateChange
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.clock import SYSTEM_CLOCK
from penstock.contracts.state import (
    KeyedStateSnapshot,
    OperatorStateMode,
    OperatorStateSnapshot,
    StateDescriptor,
    StateKind,
    StateMeta,
    StoredEntries,
)
from penstock.data.pickles import load
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.errors import PenstockError, StateError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import OperatorContext, OperatorSnapshot
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.runtime_context import RefusedState
from penstock.operators.user_code import shorten
from penstock.runtime.refused_states import open_restored
from penstock.runtime.task.chain import OperatorChain, TaskEnvironment
from penstock.runtime.task.timekeeping import DueCalls
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.hashmap.table import HashMapTable
from penstock.state.migration import Conversion, conversion_to
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.operator_lists import InMemoryOperatorState

_OPERATOR = "operator-"


def declared_states(
    graph: JobGraph,
    place: CheckpointPlace,
    vertex: JobVertex,
    chained: ChainedOperator,
    record: OperatorRecord,
) -> Declared:
    """Open one operator of a job and see what it would make of what was saved of it; never raises for what it does."""
    opened = _Opened(graph, vertex, chained, record)
    try:
        problems = opened.problems()
    except PenstockError as error:
        return Declared(unseen=error.message)
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever code of the user raises)
        return Declared(unseen=shorten(error))
    finally:
        opened.close()
    open_native = partial(open_rocksdb_files, graph.settings)
    changes = [StateChange(problem, problem) for problem in problems]
    changes += _ttl_changes(opened)
    changes += _type_changes(
        opened, record, lambda mine: read_operator_snapshot(place, record.handles, mine, open_native)
    )
    return Declared(tuple(changes), tuple(_remarks(opened, record)))


class _Opened:
    """One operator, opened by itself with the states that were saved, all of them empty."""

    def __init__(
        self, graph: JobGraph, vertex: JobVertex, chained: ChainedOperator, record: OperatorRecord
    ) -> None:
        self.saved: dict[str, StateMeta] = {}
        self.saved_lists: dict[str, OperatorStateMode] = {}
        self._list_types: dict[str, str] = {}
        for state in (state for handle in record.handles for state in handle.states):
            if state.kind.startswith(_OPERATOR):
                self.saved_lists[state.name] = OperatorStateMode(state.kind.removeprefix(_OPERATOR))
                self._list_types[state.name] = state.type_text
            elif state.kind != StateKind.TIMERS.value:
                self.saved[state.name] = StateMeta(
                    state.name, StateKind(state.kind), state.type_text, state.ttl
                )
        self.declared: dict[str, StateDescriptor] = {}
        self.declared_lists: dict[str, StateDescriptor] = {}
        self._refused_lists: list[str] = []
        alone = replace(chained, input_index=None, side_tag=None)
        single = replace(vertex, operators=(alone,), parallelism=1, max_parallelism=record.max_parallelism)
        self._chain = OperatorChain(self._environment(graph, single), [])
        self._chain.restore({chained.id: [self._empty(record.max_parallelism)]})

    def _empty(self, max_parallelism: int) -> OperatorSnapshot:
        keyed = {name: StoredEntries(meta) for name, meta in self.saved.items()}
        lists: dict[str, tuple[OperatorStateMode, tuple[bytes, ...]]] = {
            name: (mode, ()) for name, mode in self.saved_lists.items()
        }
        return OperatorSnapshot(
            KeyedStateSnapshot(max_parallelism, dict(keyed)),
            {},
            OperatorStateSnapshot(lists, self._list_types),
        )

    def both_sides(self) -> Iterator[tuple[StateDescriptor, StateMeta]]:
        """What is declared with what was saved of it, where both are of one kind."""
        for name, meta in self.saved.items():
            if name in self.declared:
                yield self.declared[name], meta
        for name, mode in self.saved_lists.items():
            if name in self.declared_lists:
                kind = StateKind.MAP if mode is OperatorStateMode.BROADCAST else StateKind.LIST
                yield self.declared_lists[name], StateMeta(name, kind, self._list_types[name])

    def _environment(self, graph: JobGraph, vertex: JobVertex) -> TaskEnvironment:
        def keyed(context: OperatorContext) -> HashMapStateBackend:
            return _NotingKeyedState(self.declared, context.max_parallelism)

        def lists(_: OperatorContext) -> InMemoryOperatorState:
            return _NotingLists(self.declared_lists, self._refused_lists)

        return TaskEnvironment(
            job_id="0" * 32,
            vertex=vertex,
            subtask_index=0,
            attempt=0,
            batch_mode=graph.batch_mode,
            settings=graph.settings,
            clock=SYSTEM_CLOCK,
            processing_time=DueCalls(SYSTEM_CLOCK),
            metrics=MetricGroup(("check",)),
            current_watermark=lambda: -(2**63),
            send_to_client=lambda collector, rows: None,
            source_link=None,
            coroutines=Coroutines(),
            feedback=FeedbackLoops(),
            make_keyed_state=keyed,
            make_operator_state=lists,
        )

    def problems(self) -> list[str]:
        """Open it; gives why states cannot be had."""
        [context], [operator] = self._chain.contexts, self._chain.operators
        # What was saved is not really there: a function that asks is told that it begins anew.
        context.restored_checkpoint_id = None
        try:
            refused = [error.message for error in open_restored(context, operator.open)]
        except Exception:
            if not self._refused_lists:  # else it comes of a state that it did not get
                raise
            refused = []
        return self._refused_lists + refused

    def close(self) -> None:
        """Close it, whatever fails."""
        self._chain.close()


class _NotingKeyedState(HashMapStateBackend):
    """Keyed state that notes what it is asked for."""

    __slots__ = ("_declared",)

    def __init__(self, declared: dict[str, StateDescriptor], max_parallelism: int) -> None:
        super().__init__(max_parallelism)
        self._declared = declared

    def _table(self, descriptor: StateDescriptor) -> HashMapTable:
        self._declared[descriptor.name] = descriptor
        return super()._table(descriptor)


class _NotingLists(InMemoryOperatorState):
    """Operator state that notes what it is asked for, and goes on where that does not fit."""

    __slots__ = ("_declared", "_refused")

    def __init__(self, declared: dict[str, StateDescriptor], refused: list[str]) -> None:
        super().__init__()
        self._declared = declared
        self._refused = refused

    def _get(self, mode: OperatorStateMode, descriptor: StateDescriptor) -> Any:
        self._declared[getattr(descriptor, "name", "")] = descriptor
        try:
            return super()._get(mode, descriptor)
        except StateError as error:
            self._refused.append(error.message)
            return RefusedState(error)


def _ttl_changes(opened: _Opened) -> Iterator[StateChange]:
    for name, meta in opened.saved.items():
        declared = opened.declared.get(name)
        if declared is None or declared.kind is not meta.kind:
            continue
        if meta.ttl and declared.ttl_config is None:
            yield StateChange(f"state {name!r} loses its time to live: what is there stays for ever")
        elif not meta.ttl and declared.ttl_config is not None:
            yield StateChange(
                f"state {name!r} gets a time to live: what is there counts as written at the start"
            )


def _type_changes(
    opened: _Opened, record: OperatorRecord, read: Callable[[SubtaskPlace], OperatorSnapshot | None]
) -> Iterator[StateChange]:
    """The states whose type has changed; what is stored is converted to see whether it can be."""
    conversions: dict[str, Conversion] = {}
    types: dict[str, tuple[str, str]] = {}
    for declared, meta in opened.both_sides():
        convert = conversion_to(declared, meta) if declared.kind is meta.kind else None
        if convert is not None:
            conversions[meta.name] = convert
            types[meta.name] = (meta.type_text or "any value", declared.type_text or "any value")
    failures: dict[str, str] = {}
    for handle in record.handles if conversions else ():
        snapshot = read(SubtaskPlace(handle.subtask_index, handle.parallelism, handle.max_parallelism))
        for name, convert in conversions.items():
            if snapshot is not None and name not in failures:
                try:
                    _convert_all(snapshot, name, convert)
                except StateError as error:
                    failures[name] = error.message
                except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever the program's migration raises)
                    failures[name] = (
                        f"state {name!r} was saved as {types[name][0]} and is now declared as {types[name][1]}; "
                        f"migrating it failed: {shorten(error)}"
                    )
    for name, (was, becomes) in types.items():
        yield StateChange(f"state {name!r}: {was} becomes {becomes}", failures.get(name))


def _convert_all(snapshot: OperatorSnapshot, name: str, convert: Conversion) -> None:
    if snapshot.keyed is not None and name in snapshot.keyed.states:
        for chunk in snapshot.keyed.states[name].chunks():
            for key, stored in zip(chunk.keys, chunk.values, strict=True):
                convert(stored, key)
    elif snapshot.operator is not None and name in snapshot.operator.states:
        mode, elements = snapshot.operator.states[name]
        content = [load(element, f"operator state {name!r}") for element in elements]
        convert(dict(content) if mode is OperatorStateMode.BROADCAST else content)


def _remarks(opened: _Opened, record: OperatorRecord) -> Iterator[str]:
    """States that were saved and that nobody asks for, but for those of windows, which are asked for later; and new ones."""
    of_windows = {
        file.state
        for handle in record.handles
        for file in handle.files
        if any(name.startswith("namespace") for name, _ in file.columns)
    }
    for name in {**opened.saved, **opened.saved_lists}:
        if name not in opened.declared and name not in opened.declared_lists and name not in of_windows:
            yield f"state {name!r} is not asked for in open: it stays as it is, and is not used unless it is asked for later"
    for name in {**opened.declared, **opened.declared_lists}:
        if name not in opened.saved and name not in opened.saved_lists:
            yield f"state {name!r} begins empty"
