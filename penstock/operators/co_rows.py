"""CoMap and CoFlatMap: a row function over two streams, which are ports 0 and 1, with keys or without.

Other than in a map of one stream, a None that a CoMap returns is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from penstock.contracts.state import KeyedStateBackend
from penstock.data.batch import RowBatch
from penstock.operators.apart import one_apart
from penstock.operators.collector import Collector
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.process_records import (
    Calls,
    FunctionLife,
    Results,
    functions_in,
    key_is_unusable,
    methods_of,
    record_error,
)

CoRowKind = Literal["map", "flat_map"]


@dataclass(frozen=True, slots=True)
class CoRowSpec(SharingSpec):
    """``function`` is a function class, or a tuple of two plain functions."""

    ports: ClassVar[int] = 2

    kind: CoRowKind
    function: Any
    output_type: Any = None
    keyed: bool = False

    def build(self, context: OperatorContext) -> Operator:
        return CoRow(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return functions_in(self.function)

    @property
    def uses_keyed_state(self) -> bool:
        return self.keyed


class CoRow(Operator):
    """One loop for each kind of function; results of flat_map come in pieces."""

    def __init__(self, spec: CoRowSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._keyed_state: KeyedStateBackend | None = context.keyed_state if spec.keyed else None
        self._collector = Collector(context, spec.output_type)
        self._life = FunctionLife(spec.function, context)
        functions = methods_of(spec.function, (f"{spec.kind}1", f"{spec.kind}2"), spec.kind)
        self._functions = [one_apart(context, function) for function in functions]
        self._calls: list[Calls] = []
        if spec.kind == "flat_map":
            self._calls = [Calls(context, each, None, self._keyed_state) for each in functions]

    def open(self) -> None:
        self._life.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._calls:
            self.context.pieces.run(self._calls[port].run(batch, self._collector.emit_all))
            return
        position = iter(batch.values)
        keyed_state, function = self._keyed_state, self._functions[port]
        try:
            if keyed_state is None:
                results = _map(function, batch, position)
            else:
                results = _keyed_map(function, batch, position, keyed_state)
        except Exception as error:
            if keyed_state is not None and key_is_unusable(error, keyed_state.current_key):
                raise
            raise record_error(self.context, error, batch.values, position) from error
        if keyed_state is not None:
            keyed_state.after_records(len(batch.values))
        self._collector.emit_all(*results)

    def end_key(self, key: Any) -> None:
        assert self._keyed_state is not None
        self.context.pieces.then(self._keyed_state.clear_key, key)

    def close(self) -> None:
        self._life.close()


def _map(function: Callable[[Any], Any], batch: RowBatch, position: Any) -> Results:
    return _without_none([function(value) for value in position], batch.timestamps)


def _keyed_map(
    function: Callable[[Any], Any], batch: RowBatch, position: Any, keyed_state: KeyedStateBackend
) -> Results:
    out: list[Any] = []
    append = out.append
    for value, keyed_state.current_key in zip(position, batch.keys or (), strict=True):
        append(function(value))
    return _without_none(out, batch.timestamps)


def _without_none(results: list[Any], timestamps: list[int] | None) -> Results:
    kept = [result for result in results if result is not None]
    if timestamps is None or len(kept) == len(results):
        return kept, timestamps
    return kept, [time for result, time in zip(results, timestamps, strict=True) if result is not None]
