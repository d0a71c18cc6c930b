"""The operator that makes the state of another one: it runs that operator on records, and writes its snapshot in the end.

Watermarks do not reach the operator within, and its clock calls nobody: no timer fires and no window ends, so that all of
them are in the snapshot.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import is_empty, write_operator_snapshot
from penstock.contracts.state import BroadcastState, KeyedStateBackend, MapStateDescriptor
from penstock.contracts.timers import Timers
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import PenstockError, ProgramError, StateError
from penstock.operators.contract import Operator, OperatorContext, OperatorSnapshot, OperatorSpec, Output
from penstock.operators.process_records import Calls, FunctionLife
from penstock.operators.user_code import callable_of, shorten
from penstock.operators.window.spec import WindowSpec
from penstock.runtime.worker.state_access import StateAccess
from penstock.state_processor.bootstrap_functions import BroadcastBootstrapContext
from penstock.state_processor.writing import remove_earlier


@dataclass(frozen=True, slots=True)
class BootstrapSpec(OperatorSpec):
    """Makes the state of one operator, and emits the handle of what each subtask has written.

    ``within`` is an operator that has the state; ``settings`` are options on top of the job's, for where the state is while
    it is made.
    """

    within: OperatorSpec
    operator_id: str
    operator_name: str
    directory: str
    checkpoint_id: int
    settings: tuple[tuple[str, str], ...] = ()

    def build(self, context: OperatorContext) -> Operator:
        return _Bootstrap(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return self.within.user_functions()


class _Bootstrap(Operator):
    """Its state is that of the operator within, and of no use to checkpoints of this job."""

    def __init__(self, spec: BootstrapSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._timers: dict[str, Timers] = {}
        self._access = StateAccess({**context.settings, **dict(spec.settings)}, context.clock)
        self._state = replace(
            context,
            batch_mode=False,
            processing_time=_NoTime(),
            output=Output(self._take_results, _ignore, _ignore, {}),
            current_watermark=lambda: MIN_TIMESTAMP,
            restored_checkpoint_id=None,
            takes_checkpoints=False,
            participants=[],
        )
        self._keyed: KeyedStateBackend | None = None
        self._within: Operator | None = None

    def open(self) -> None:
        if self.context.takes_checkpoints:
            raise no_checkpoints().at(self.context.place)
        inner = self._state
        inner.operator_state = self._access.operator(inner)
        inner.keyed_state = inner.make_timers = None
        if self._spec.within.uses_keyed_state:
            self._keyed = inner.keyed_state = self._access.keyed(inner)
            inner.make_timers = self._make_timers
        self._within = self._spec.within.build(inner)
        self._within.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        assert self._within is not None
        self._within.on_batch(batch)

    def finish(self) -> None:
        """All records are there: write what the operator within would have in a savepoint."""
        snapshot = self._snapshot()
        if is_empty(snapshot):
            return
        spec, context = self._spec, self.context
        subtask = SubtaskPlace(context.subtask_index, context.parallelism, context.max_parallelism)
        if context.attempt:
            remove_earlier(spec.directory, spec.operator_id, context.subtask_index)
        try:
            handle = write_operator_snapshot(
                CheckpointPlace(spec.directory), snapshot, spec.operator_id, spec.operator_name, subtask
            )
        except PenstockError as error:
            raise error.at(context.place) from error.__cause__
        finally:
            if snapshot.keyed is not None:
                snapshot.keyed.release()
        self.output.emit(RowBatch([handle]))

    def _snapshot(self) -> OperatorSnapshot:
        assert self._within is not None
        checkpoint_id = self._spec.checkpoint_id
        self._within.finish()
        own = self._within.take_snapshot(checkpoint_id)
        operator_state = self._state.operator_state
        return OperatorSnapshot(
            keyed=None if self._keyed is None else self._keyed.snapshot(checkpoint_id),
            timers={name: timers.snapshot() for name, timers in self._timers.items()},
            operator=None if operator_state is None else operator_state.snapshot(),
            own=own,
            checkpoint_id=checkpoint_id,
        )

    def snapshot(self, checkpoint_id: int) -> Any:
        raise no_checkpoints()

    def close(self) -> None:
        try:
            if self._within is not None:
                self._within.close()
        finally:
            if self._keyed is not None:
                self._keyed.close()

    def _take_results(self, batch: Any) -> None:
        """Windows that fire at a number of records give results, which nobody wants; functions have none to give."""
        if not isinstance(self._spec.within, WindowSpec):
            raise ProgramError(
                f"a bootstrap function writes state and gives no records, and it gave {shorten(batch.values[0])}; leave out "
                "yield and return"
            ).at(self.context.place)

    def _make_timers(self, name: str) -> Timers:
        assert self._keyed is not None
        made = self._timers[name] = self._keyed.timers(name)
        return made


def no_checkpoints() -> StateError:
    """What is wrong with a job that would save the state of what makes state."""
    return StateError(
        "a job that makes a savepoint out of records takes no checkpoints itself: set execution.runtime-mode to BATCH, or "
        "leave out execution.checkpointing.interval"
    )


class _NoTime:
    """The clock of an operator whose timers are written and do not fire."""

    def schedule(self, at_ms: int, callback: Callable[[int], None]) -> Callable[[], None]:
        return _nothing


def _nothing() -> None:
    return None


def _ignore(signal: object) -> None:
    del signal


# Operator state ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorStateSpec(OperatorSpec):
    """Calls a ``StateBootstrapFunction`` or a ``BroadcastStateBootstrapFunction`` for each record."""

    function: Any

    def build(self, context: OperatorContext) -> Operator:
        return _WritesOperatorState(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)


class _WritesOperatorState(Operator):
    def __init__(self, spec: OperatorStateSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._life = FunctionLife(spec.function, context)
        process = callable_of(spec.function, "process_element", "transform")
        self._calls = Calls(context, process, _Context(context))

    def open(self) -> None:
        self._life.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._calls.run(batch, self._emit))

    def _emit(self, results: list[Any], timestamps: list[int] | None) -> None:
        if results:
            self.output.emit(RowBatch(results))

    def close(self) -> None:
        self._life.close()


class _Context(BroadcastBootstrapContext):
    """One object for all records; ``time`` is set before each call."""

    def __init__(self, context: OperatorContext) -> None:
        self._context = context
        self.time = MIN_TIMESTAMP

    def current_processing_time(self) -> int:
        return self._context.clock.now_ms()

    def get_broadcast_state(self, state_descriptor: MapStateDescriptor) -> BroadcastState[Any, Any]:
        assert self._context.operator_state is not None
        return self._context.operator_state.get_broadcast_state(state_descriptor)
