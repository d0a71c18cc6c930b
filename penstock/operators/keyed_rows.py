"""map, flat_map and filter by function classes on a keyed stream, where they may use keyed state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.contracts.state import KeyedStateBackend
from penstock.data.batch import RowBatch
from penstock.operators.apart import one_apart
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.process_records import (
    Calls,
    FunctionLife,
    Results,
    key_is_unusable,
    record_error,
)
from penstock.operators.row_chain import RowStep
from penstock.operators.user_code import callable_of


@dataclass(frozen=True, slots=True)
class KeyedRowSpec(SharingSpec):
    """One row function, called with the key of each record as the current one."""

    step: RowStep

    def build(self, context: OperatorContext) -> Operator:
        return KeyedRow(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.step.function,)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class KeyedRow(Operator):
    """One loop for each kind of function; results of flat_map come in pieces."""

    def __init__(self, spec: KeyedRowSpec, context: OperatorContext) -> None:
        super().__init__(context)
        assert context.keyed_state is not None
        step = spec.step
        self._keyed_state: KeyedStateBackend = context.keyed_state
        self._collector = Collector(context, step.output_type)
        self._life = FunctionLife(step.function, context)
        function = callable_of(step.function, step.kind, step.kind)
        self._function: Callable[[Any], Any] = function
        if step.kind == "map":
            self._function = one_apart(context, function)
        self._calls: Calls | None = None
        if step.kind == "flat_map":
            self._calls = Calls(context, self._function, None, self._keyed_state)
        self._apply = self._filter if step.kind == "filter" else self._map

    def open(self) -> None:
        self._life.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._calls is not None:
            self.context.pieces.run(self._calls.run(batch, self._collector.emit_all))
            return
        position = iter(batch.values)
        try:
            values, timestamps = self._apply(batch, position)
        except Exception as error:
            if key_is_unusable(error, self._keyed_state.current_key):
                raise
            raise record_error(self.context, error, batch.values, position) from error
        self._keyed_state.after_records(len(batch.values))
        self._collector.emit_all(values, timestamps)

    def _map(self, batch: RowBatch, position: Any) -> Results:
        keyed_state, function = self._keyed_state, self._function
        out: list[Any] = []
        append = out.append
        for value, keyed_state.current_key in zip(position, batch.keys or (), strict=True):
            append(function(value))
        return out, batch.timestamps

    def _filter(self, batch: RowBatch, position: Any) -> Results:
        keyed_state, function = self._keyed_state, self._function
        kept: list[int] = []
        keep = kept.append
        for index, keyed_state.current_key in enumerate(batch.keys or ()):
            if function(next(position)):
                keep(index)
        if len(kept) == len(batch.values):
            return batch.values, batch.timestamps
        taken = batch.take(kept)
        return taken.values, taken.timestamps

    def end_key(self, key: Any) -> None:
        self.context.pieces.then(self._keyed_state.clear_key, key)

    def close(self) -> None:
        self._life.close()
