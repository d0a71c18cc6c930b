"""A full window over a subtask's part of a stream without keys: worked on as a whole when the input has ended."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

from penstock.data.batch import RowBatch
from penstock.operators.apart import each_apart
from penstock.operators.contract import Operator, OperatorContext, SharingSpec
from penstock.operators.pieces import Work
from penstock.operators.process_records import FunctionLife
from penstock.operators.user_code import callable_of, user_error


class Over(Enum):
    """What is made of a partition: the method of the function that makes it."""

    MAP = "map_partition"
    SORT = "get_key"
    REDUCE = "reduce"
    AGGREGATE = "aggregate"


@dataclass(frozen=True, slots=True)
class FullWindowSpec(SharingSpec):
    """``function`` is a map over all records, a key to sort by, a reduce function or an ``AggregateFunction``."""

    over: Over
    function: Any
    is_descending: bool = False
    output_type: Any = None

    def build(self, context: OperatorContext) -> Operator:
        return FullWindow(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return (self.function,)


class FullWindow(Operator):
    """Keeps records, of a reduction the one record so far, of an aggregation the accumulator.

    What is kept is a list, so that a job that goes on at another parallelism deals it out to its subtasks.
    """

    def __init__(self, spec: FullWindowSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._kept: list[Any] = []
        self._life = FunctionLife(spec.function, context)
        aggregates = spec.over is Over.AGGREGATE
        self._call: Callable[..., Any] = (
            spec.function.add if aggregates else callable_of(spec.function, spec.over.value, spec.over.value)
        )

    def open(self) -> None:
        self._life.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        match self._spec.over:
            case Over.MAP | Over.SORT:
                self._kept += batch.values
            case Over.REDUCE:
                self._fold(batch.values, self._call)
            case Over.AGGREGATE:
                if not self._kept:
                    self._kept = [self._guarded(self._spec.function.create_accumulator)]
                self._fold(batch.values, lambda accumulator, value: self._call(value, accumulator))

    def _fold(self, values: list[Any], combine: Callable[[Any, Any], Any]) -> None:
        start = 0
        if not self._kept:
            self._kept, start = [values[0]], 1
        kept = self._kept[0]
        for value in values[start:]:
            try:
                kept = combine(kept, value)
            except Exception as error:
                raise user_error(self.context, error, value) from error
        self._kept = [kept]

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            raise user_error(self.context, error) from error

    def finish(self) -> None:
        kept, self._kept = self._kept, []
        if not kept:
            return
        results: Iterable[Any] | None
        match self._spec.over:
            case Over.MAP:
                results = self._guarded(each_apart(self.context, self._call), kept)
            case Over.SORT:
                results = self._guarded(
                    lambda: sorted(kept, key=self._call, reverse=self._spec.is_descending)
                )
            case Over.REDUCE:
                results = kept
            case Over.AGGREGATE:
                results = [self._guarded(self._spec.function.get_result, kept[0])]
        if results is not None:
            self.context.pieces.run(self._in_pieces(self._guarded(iter, results)))

    def _in_pieces(self, results: Iterator[Any]) -> Work:
        while True:
            wanted = self.context.pieces.most_rows
            values = self._guarded(lambda most: list(islice(results, most)), wanted)
            count = len(values)
            if self._spec.output_type is not None:
                values = self._guarded(self._spec.output_type.convert_batch, values)
            if values:
                self.output.emit(RowBatch(values))
            if count < wanted:
                return count
            yield count

    def snapshot(self, checkpoint_id: int) -> Any:
        return list(self._kept)

    def restore(self, own: Any) -> None:
        """Several reduced records or accumulators, of former subtasks, become one."""
        self._kept = list(own or ())
        if self._spec.over in (Over.REDUCE, Over.AGGREGATE) and len(self._kept) > 1:
            merge = self._spec.function.merge if self._spec.over is Over.AGGREGATE else self._call
            kept = self._kept[0]
            for other in self._kept[1:]:
                kept = self._guarded(merge, kept, other)
            self._kept = [kept]

    def close(self) -> None:
        self._life.close()
