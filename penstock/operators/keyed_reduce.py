"""The running reduce of a keyed stream: one updated result per record, in BATCH mode one per key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from penstock.contracts.state import VOID_NAMESPACE, KeyedTable, ReducingStateDescriptor
from penstock.data.batch import KeyItem, RowBatch
from penstock.data.own_copies import copy_or_same
from penstock.errors import PenstockError
from penstock.operators.aggregations import FieldAggregation, Fold, OtherShape
from penstock.operators.apart import keeps_apart, values_apart
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.pair_fold import PairFold
from penstock.operators.process_records import FunctionLife, key_is_unusable
from penstock.operators.user_code import callable_of, user_error

STATE_NAME = "_keyed_reduce"


@dataclass(frozen=True, slots=True)
class KeyedReduceSpec(SharingSpec):
    """Combines each record with what its key has so far, by ``function(reduced, value)``."""

    function: Any
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return KeyedReduce(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class KeyedReduce(Operator):
    """One call of the state's table a batch."""

    def __init__(self, spec: KeyedReduceSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        reduce = callable_of(spec.function, "reduce", "reduce")
        # What a record is reduced into has been emitted.
        self._copies = keeps_apart(context) and not context.batch_mode
        self._reduce: Callable[[Any, Any], Any] = _into_a_copy(reduce) if self._copies else reduce
        self._has_started = False
        self._table: KeyedTable | None = None
        self._is_compact = False
        # Aggregations of a field give what the records are.
        declared = None if isinstance(spec.function, FieldAggregation) else spec.output_type
        self._convert = None if declared is None else declared.convert_batch
        self._life = FunctionLife(spec.function, context)

    def open(self) -> None:
        assert self.context.keyed_state is not None
        self._life.open()
        descriptor = ReducingStateDescriptor(STATE_NAME, self._reduce, self._spec.output_type)
        self._table = self.context.keyed_state.table(descriptor)

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        assert self._table is not None
        if not self._has_started:
            self._start(batch)
        try:
            results = self._fold(batch)
        except Exception as error:
            if batch.keys and key_is_unusable(error, batch.keys[self._table.failed_index]):
                raise
            raise user_error(self.context, error, batch.values[self._table.failed_index]) from error
        if not self.context.batch_mode:
            if self._copies:
                results = RowBatch(values_apart(self.context, results.values), results.timestamps)
            self._emit(results)

    def _emit(self, results: RowBatch) -> None:
        if self._convert is not None:
            try:
                results = RowBatch(self._convert(results.values), results.timestamps)
            except PenstockError as error:
                raise error.at(self.context.place) from None
        self.output.emit(results)

    def _start(self, batch: RowBatch) -> None:
        """Make the function of an aggregation to measure, now that its records are seen."""
        assert self._table is not None
        function, keys, values = self._spec.function, batch.keys, batch.values
        assert keys is not None
        if not values:
            return
        self._has_started = True
        if not isinstance(function, FieldAggregation):
            from penstock.operators.inlined_reduce import fold_by

            inlined = None if self._copies else fold_by(self._reduce)
            if inlined is not None and self._table.entries_for(keys) is not None:
                self._fold = partial(self._fold_in_place, inlined)  # type: ignore[method-assign]
            return
        self._reduce = function.reducer_for(values[0])
        pairs = None if self.context.batch_mode else PairFold.for_records(function, keys[0], values[0])
        if pairs is not None and self._table.compact(pairs):
            self._is_compact = True
            self._fold = partial(self._fold_pairs, pairs)  # type: ignore[method-assign]
            return
        if self._table.entries_for(keys) is None:
            return
        loop = function.fold_for(values[0])
        if loop is not None and _all_like(values[0], self._table.pane(VOID_NAMESPACE)):
            self._fold = partial(self._fold_in_place, loop)  # type: ignore[method-assign]

    def _fold(self, batch: RowBatch) -> RowBatch:
        assert self._table is not None
        assert batch.keys is not None
        return RowBatch(self._table.fold(batch.keys, batch.values, self._reduce), batch.timestamps)

    def _fold_pairs(self, pairs: PairFold, batch: RowBatch) -> RowBatch:
        """As in place, and without a list of the keys where they are the first items anyway."""
        if not isinstance(batch.keyed_by, KeyItem) or batch.keyed_by.position:
            return self._fold_in_place(pairs.fold, batch)
        assert self._table is not None
        fields = batch.fields
        entries = self._table.entries_for(map(itemgetter(0), batch.values) if fields is None else fields[0])
        if entries is None:
            return self._fold_by_calls(batch)
        if fields is not None and len(fields) == 2:
            return self._run(partial(pairs.fold_fields, entries, *fields), batch, fields[0])
        return self._run(partial(pairs.fold_pairs, entries, batch.values), batch)

    def _fold_in_place(self, loop: Fold, batch: RowBatch) -> RowBatch:
        """The same, where the state is a dictionary and there is a loop made for the function."""
        assert self._table is not None
        assert batch.keys is not None
        entries = self._table.entries_for(batch.keys)
        if entries is None:
            return self._fold_by_calls(batch)
        return self._run(partial(loop, entries, batch.keys, batch.values), batch)

    def _fold_by_calls(self, batch: RowBatch) -> RowBatch:
        """What a loop cannot do, as one of the keys cannot be one: the calls find it, after those before it."""
        self._use_table()
        return self._fold(batch)

    def _run(
        self, loop: Callable[[list[Any]], None], batch: RowBatch, firsts: list[Any] | None = None
    ) -> RowBatch:
        """With ``firsts`` what the loop gives are the second items of pairs, of which these are the first."""
        assert self._table is not None
        results: list[Any] = []
        try:
            loop(results)
        except OtherShape:
            self._use_table()
            done = len(results)
            if firsts is not None:
                results = list(zip(firsts, results, strict=False))
            try:
                results += self._fold(batch.slice(done, len(batch))).values
            except BaseException:
                self._table.failed_index += done
                raise
        except BaseException:
            self._table.failed_index = len(results)
            raise
        else:
            if firsts is not None:
                return RowBatch.of_fields([firsts, results], batch.timestamps)
        return RowBatch(results, batch.timestamps)

    def _use_table(self) -> None:
        """From the next record on, records of every shape are reduced by calls."""
        assert self._table is not None
        if self._is_compact:
            self._table.compact(None)
            self._is_compact = False
        self.__dict__.pop("_fold", None)

    def end_key(self, key: Any) -> None:
        assert self._table is not None
        results = self._table.pop_pane(None)
        self._emit(RowBatch(list(results.values())))

    def close(self) -> None:
        self._life.close()


def _into_a_copy(reduce: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda reduced, value: reduce(copy_or_same(reduced), value)


def _all_like(example: tuple[Any, ...], entries: Mapping[Any, Any]) -> bool:
    """Whether all that is stored are tuples as long as the example; looked at once, as a restored job may have others."""
    return all(type(stored) is tuple and len(stored) == len(example) for stored in entries.values())
