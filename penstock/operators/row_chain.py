"""map, filter and flat_map over rows; runs of them are fused into one generated loop (see ``row_loops``).

flat_map has no bound on what it gives. Its loop takes as many records as should give a piece; what is an iterator with no end
in sight stops it, and is read a piece at a time.

The traceback of a failing function tells which step failed, and the list iterator's ``__length_hint__`` which record: errors
are exact, and a record that goes well pays nothing for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from math import ceil
from operator import length_hint
from typing import Any

from penstock.contracts.effects import Effect
from penstock.data.batch import RowBatch
from penstock.errors import PenstockError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec, Origin
from penstock.operators.inlining import expression_of
from penstock.operators.pieces import Work
from penstock.operators.row_loops import (
    StepKind,
    compile_behind,
    compile_lists,
    compile_loop,
    pairing_of,
    projection_of,
)
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import GENERATED, callable_of, is_rich, raised_at, shorten, user_error

# Python's compiler goes one level deeper for each clause of a comprehension, and has limits.
MOST_STEPS = 16
Piece = tuple[RowBatch, int, bool]
Results = tuple[list[Any], list[int] | None, int, bool]
ConvertBatch = Callable[[list[Any]], list[Any]]


@dataclass(frozen=True, slots=True)
class RowStep:
    """One user function of a row chain, with the operator that it came from."""

    kind: StepKind
    function: Any
    name: str
    operator_id: str = ""
    metric_name: str = ""
    origin: Origin | None = None
    output_type: Any = None


@dataclass(frozen=True, slots=True)
class RowChainSpec(OperatorSpec):
    """A run of map, filter and flat_map steps; a single one is a run of length one."""

    steps: tuple[RowStep, ...]

    def build(self, context: OperatorContext) -> Operator:
        return RowChain(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        return tuple(step.function for step in self.steps)

    @property
    def effect(self) -> Effect:
        from penstock.operators.effects import effect_of_steps

        return effect_of_steps(self.steps)


class RowChain(Operator):
    """Runs the generated loops, a segment each. A segment has at most one step that changes the number of records, so that
    the records of every step are known without counting in the loop."""

    def __init__(self, spec: RowChainSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._segments: list[_Segment] = []
        self._expands = False
        self._opened: list[Any] = []

    def open(self) -> None:
        for step in self._spec.steps:
            join_checkpoints([step.function], self.context_of(step))
            if is_rich(step.function):
                step_context = self.context_of(step)
                try:
                    step.function.open(OperatorRuntimeContext(step_context))
                except Exception as error:
                    raise user_error(step_context, error) from error
                self._opened.append(step.function)
        self._segments = [
            (_Expansion if any(step.kind == "flat_map" for step in steps) else _Segment)(self, steps)
            for steps in _segments(self._spec.steps)
        ]
        self._expands = any(isinstance(segment, _Expansion) for segment in self._segments)

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._expands:
            self.context.pieces.run(self._in_pieces(batch))
            return
        for segment in self._segments:
            batch = segment.apply(batch)
            if not len(batch):
                return
        self.output.emit(batch)

    def _in_pieces(self, batch: RowBatch) -> Work:
        for piece, records, is_last in self._pieces(batch, 0):
            if len(piece):
                self.output.emit(piece)
            if is_last:
                return records
            yield records
        return 0

    def _pieces(self, batch: RowBatch, first: int) -> Iterator[Piece]:
        """What the segments from ``first`` on make of a batch, a piece at a time."""
        size = len(batch)
        for number, segment in enumerate(self._segments[first:], first + 1):
            if isinstance(segment, _Expansion):
                for piece, records, is_last in segment.pieces(batch):
                    for following, behind, ends in self._pieces(piece, number):
                        yield following, max(records, behind), is_last and ends
                return
            if len(batch):
                batch = segment.apply(batch)
        yield batch, size, True

    def context_of(self, step: RowStep) -> OperatorContext:
        """The operator's context under the name of the step, for errors and for ``open``."""
        if step.name == self.context.name or not step.name:
            return self.context
        return replace(
            self.context,
            name=step.name,
            origin=step.origin or self.context.origin,
            metrics=self.context.metrics_of(step.metric_name or step.name),
        )

    def counters_of(self, steps: tuple[RowStep, ...]) -> "_Counters | None":
        """The counters of fused steps; a single step is counted by the task."""
        if len(self._spec.steps) == 1:
            return None
        return _Counters(steps, [self.context.metrics_of(step.metric_name or step.name) for step in steps])

    def close(self) -> None:
        failure: PenstockError | None = None
        for step in reversed(self._spec.steps):
            if not any(step.function is opened for opened in self._opened):
                continue
            try:
                step.function.close()
            except Exception as error:  # noqa: BLE001 - the others are closed first
                failure = failure or _wrapped(self.context_of(step), error)
        self._opened.clear()
        if failure is not None:
            raise failure


class _Segment:
    """Steps that run in one loop, and give one result at most for a record."""

    _plain: Callable[..., Any]
    _timed: Callable[..., Any]

    def __init__(self, chain: RowChain, steps: tuple[RowStep, ...]) -> None:
        self._chain = chain
        self._steps = steps
        functions = [callable_of(step.function, step.kind, step.kind) for step in steps]
        self._called = tuple(functions)
        self._copies = chain.context.effect is Effect.CHANGES and RowChainSpec(steps).effect is Effect.CHANGES
        self._results: Callable[[Iterable[Any]], Iterator[Any]] | None = None
        if self._copies:
            functions = self._apart(functions)
        kinds = tuple(step.kind for step in steps)
        self._inlined = tuple(
            None if step.kind == "flat_map" else expression_of(function)
            for step, function in zip(steps, functions, strict=True)
        )
        output_type = steps[-1].output_type
        self._convert: ConvertBatch | None = None if output_type is None else output_type.convert_batch
        pairs = kinds[-1] == "map" and self._convert is None
        self._pairing = pairing_of(self._inlined[-1]) if pairs else None
        inlined = self._inlined
        if self._pairing is not None:
            inlined = (*inlined[:-1], self._pairing.expression)
        is_alone = kinds == ("map",) and pairs and self._results is None
        self._projection = projection_of(self._inlined[0]) if is_alone else None
        self._compile(kinds, functions, inlined)
        if self._results is not None:
            self._plain = self._timed = partial(_mapped, functions[0], self._results)
        self._counters = chain.counters_of(steps)

    def _apart(self, functions: list[Callable[..., Any]]) -> list[Callable[..., Any]]:
        """The functions, with what the last of them gives copied at once; between steps a record goes on as it is."""
        from penstock.operators.apart import all_apart, each_apart, one_apart

        if len(self._steps) == 1 and self._steps[0].kind == "map":
            self._copies, self._results = False, all_apart
            return functions
        giving = [at for at, step in enumerate(self._steps) if step.kind != "filter"]
        if giving:
            last = giving[-1]
            apart = one_apart if self._steps[last].kind == "map" else each_apart
            functions[last] = apart(self._chain.context, functions[last])
            self._copies = False
        return functions

    def _compile(
        self,
        kinds: tuple[StepKind, ...],
        functions: list[Callable[..., Any]],
        inlined: tuple[str | None, ...],
    ) -> None:
        self._plain = compile_loop(kinds, False, inlined)(*functions)
        self._keeps_count = all(kind == "map" for kind in kinds)
        self._timed = self._plain if self._keeps_count else compile_loop(kinds, True, inlined)(*functions)

    def apply(self, batch: RowBatch) -> RowBatch:
        if self._projection is not None and batch.fields is not None:
            fields = self._projection.fields(batch.fields)
            if fields is not None:
                if self._counters is not None:
                    self._counters.add(len(batch), len(batch))
                return RowBatch.of_fields(fields, batch.timestamps)
        values, timestamps = batch.values, batch.timestamps
        position = iter(values)
        try:
            if timestamps is None or self._keeps_count:
                out = self._plain(position)
            else:
                out, timestamps = self._timed(position, timestamps)
        except Exception as error:
            raise self._explain(error, values, position) from error
        if self._keeps_count and len(out) != len(values):
            raise self._stopped(values[len(out)])
        if self._convert is not None:
            out = self._checked(out)
        if self._copies:  # of filters alone
            from penstock.operators.apart import values_apart

            out = values_apart(self._chain.context, out)
        if self._counters is not None:
            self._counters.add(len(values), len(out))
        return self._batch(out, timestamps)

    def _batch(self, out: list[Any], timestamps: list[int] | None) -> RowBatch:
        if self._pairing is None:
            return RowBatch(out, timestamps)
        return RowBatch.of_fields(self._pairing.fields(out), timestamps)

    def _checked(self, out: list[Any]) -> list[Any]:
        assert self._convert is not None
        try:
            return self._convert(out)
        except PenstockError as error:
            raise error.at(self._chain.context_of(self._steps[-1]).place) from None

    def _stopped(self, value: Any) -> PenstockError:
        """The error for a function that raised StopIteration, which ends ``map`` without a word."""
        functions = [step.function for step in self._steps]
        error = user_error(self._chain.context_of(self._steps[0]), StopIteration(), value)
        return error.at(f"raised by {' or '.join(map(_defined, functions))}")

    def _explain(self, error: Exception, values: list[Any], position: Iterator[Any]) -> PenstockError:
        index = len(values) - length_hint(position) - 1
        failed = self._failed_step(error)
        step = self._steps[failed]
        if self._inlined[failed] is not None:
            error = self._as_called(failed, error, values[max(index, 0)])
        return user_error(self._chain.context_of(step), error, values[max(index, 0)])

    def _failed_step(self, error: Exception) -> int:
        return _failed_step(error, len(self._steps))

    def _as_called(self, failed: int, error: Exception, value: Any) -> Exception:
        """The error as the function itself raises it, with the user's line in its traceback."""
        function = self._called[failed]
        try:
            function(self._input_of(failed, error, value))
        except _InputUnknown:
            return raised_at(function, error)
        except Exception as raised:  # noqa: BLE001  (whatever the user's function raises)
            return raised
        return error

    def _input_of(self, failed: int, error: Exception, value: Any) -> Any:
        """What an inlined step was given; raises ``_InputUnknown`` where that cannot be known.

        Since Python 3.12 the variables of a comprehension are gone when it has failed. Steps that are calls are not called
        again, as nobody would expect them to be.
        """
        mapped = [i for i, step in enumerate(self._steps[:failed]) if step.kind != "filter"]
        name = f"v{mapped[-1]}" if mapped else "v"
        trace = error.__traceback__
        while trace is not None:
            if name in trace.tb_frame.f_locals and trace.tb_frame.f_code.co_filename.startswith(GENERATED):
                return trace.tb_frame.f_locals[name]
            trace = trace.tb_next
        if any(self._inlined[i] is None for i in mapped):
            raise _InputUnknown
        for i in mapped:
            value = self._called[i](value)
        return value


def _mapped(
    function: Callable[[Any], Any],
    results: Callable[[Iterable[Any]], Iterator[Any]],
    values: Iterator[Any],
) -> list[Any]:
    """A map alone, whose results are looked at one by one."""
    return list(results(map(function, values)))


class _Expansion(_Segment):
    """Steps with a flat_map among them, whose results are without bound: they are taken a piece at a time."""

    def _compile(
        self,
        kinds: tuple[StepKind, ...],
        functions: list[Callable[..., Any]],
        inlined: tuple[str | None, ...],
    ) -> None:
        self._at = kinds.index("flat_map")
        behind = functions[self._at + 1 :]
        self._behind = compile_behind(self._at, len(kinds), inlined)(*behind) if behind else list
        self._timed = compile_loop(kinds, True, inlined)(*functions)
        self._lists = compile_lists(kinds, inlined)(*functions)
        self._results_each: float | None = None
        """Of a record, as far as it is known."""

    def pieces(self, batch: RowBatch) -> Iterator[Piece]:
        """Each piece of the results, of how many records it is made, and whether it is the last."""
        results = self._timed_results(batch) if batch.timestamps is not None else self._untimed_results(batch)
        counted = len(batch)
        for out, times, records, is_last in results:
            if self._counters is not None:
                self._counters.add(counted, len(out))
            counted = 0
            yield self._batch(out if self._convert is None else self._checked(out), times), records, is_last

    def _untimed_results(self, batch: RowBatch) -> Iterator[Results]:
        """Records whose results are lists go through one loop, as many as should give a piece; one that gives an iterator
        that has no end in sight stops it, and is read a piece at a time."""
        values, pieces = batch.values, self._chain.context.pieces
        position = iter(values)
        while True:
            wanted, before = pieces.most_rows, length_hint(position)
            held = _Held(values, position, wanted)
            many = ceil(wanted / self._results_each) if self._results_each else 1
            try:
                out = self._lists(islice(position, many), held.listed)
            except Exception as error:
                raise self._explain(_raised(error), values, held.go_back()) from error
            position = held.go_back()
            left = length_hint(position)
            if before > left:
                each = len(out) / (before - left)
                self._results_each = max(each, (self._results_each or 0.0) / 2, 1 / 64)
            # As many as were wanted, as far as that can be foreseen, are a whole piece: the next may be larger.
            yield out, None, max(len(out), wanted) if left else len(out), left == 0 and held.rest is None
            while held.rest is not None:
                try:
                    out = self._behind(islice(held.rest, pieces.most_rows))
                except Exception as error:
                    raise self._explain(_raised(error), values, position) from error
                if len(out) < pieces.most_rows:
                    held.rest = None
                yield out, None, len(out), left == 0 and held.rest is None
            if left == 0:
                return

    def _timed_results(self, batch: RowBatch) -> Iterator[Results]:
        position, stamps = iter(batch.values), list[int]()
        results = self._timed(position, batch.timestamps, stamps.append)
        is_last = False
        while not is_last:
            wanted = self._chain.context.pieces.most_rows
            try:
                out = list(islice(results, wanted))
            except Exception as error:
                raise self._explain(_raised(error), batch.values, position) from error
            is_last = len(out) < wanted
            times = stamps[:]
            stamps.clear()
            yield out, times, len(out), is_last

    def _failed_step(self, error: Exception) -> int:
        """Where no generated line was gone through, it was the iterable that flat_map gave, or its function itself."""
        return _failed_step(error, len(self._steps), self._at)


class _Held:
    """What of an iterator did not fit into a piece, while the records behind it wait."""

    __slots__ = ("_after", "_most", "_position", "_values", "rest")

    def __init__(self, values: list[Any], position: Iterator[Any], most: int) -> None:
        self._values = values
        self._position: Any = position
        self._most = most
        self._after: int | None = None
        self.rest: Iterator[Any] | None = None

    def listed(self, results: Iterable[Any]) -> Iterable[Any]:
        """What is no list: as it is where it has a length, else what fits; the loop is stopped where there may be more."""
        if isinstance(results, Sized):
            return results
        iterator = iter(results)
        taken = list(islice(iterator, self._most))
        if len(taken) == self._most:
            self.rest = iterator
            self._after = len(self._values) - length_hint(self._position)
            self._position.__setstate__(len(self._values))
        return taken

    def go_back(self) -> Iterator[Any]:
        """Where the loop goes on: behind the record that stopped it."""
        if self._after is not None:
            self._position = iter(self._values)  # one that has come to its end stays there
            self._position.__setstate__(self._after)
        return self._position  # type: ignore[no-any-return]


class _InputUnknown(Exception):
    """What a failed step was given is not known any more."""


def _wrapped(context: OperatorContext, error: Exception) -> PenstockError:
    try:
        return user_error(context, error)
    except PenstockError as own:
        return own


def _defined(function: Any) -> str:
    """A function with the line where it is defined, as no traceback tells it."""
    method: Any = function if hasattr(function, "__code__") else getattr(type(function), "map", None)
    code = getattr(method, "__code__", None)
    return f"{method.__qualname__} ({code.co_filename}:{code.co_firstlineno})" if code else shorten(function)


class _Counters:
    """Records in and out of each step of a segment."""

    def __init__(self, steps: tuple[RowStep, ...], groups: list[MetricGroup]) -> None:
        changing = next((i for i, step in enumerate(steps) if step.kind != "map"), len(steps))
        ins = [group.counter("numRecordsIn") for group in groups]
        outs = [group.counter("numRecordsOut") for group in groups]
        self._before = ins[: changing + 1] + outs[:changing]
        self._after = ins[changing + 1 :] + outs[changing:]

    def add(self, records_in: int, records_out: int) -> None:
        """Count one batch."""
        for counter in self._before:
            counter.count += records_in
        for counter in self._after:
            counter.count += records_out


def _segments(steps: tuple[RowStep, ...]) -> Iterator[tuple[RowStep, ...]]:
    """Cut behind a declared type, before a second step that changes the number of records, and where the loop would be
    nested deeper than Python compiles."""
    segment: list[RowStep] = []
    for step in steps:
        changes_twice = step.kind != "map" and any(earlier.kind != "map" for earlier in segment)
        if segment and (changes_twice or len(segment) >= MOST_STEPS):
            yield tuple(segment)
            segment = []
        segment.append(step)
        if step.output_type is not None:
            yield tuple(segment)
            segment = []
    if segment:
        yield tuple(segment)


def _failed_step(error: Exception, count: int, otherwise: int = 0) -> int:
    """The step whose line of the generated code the exception went through; its lines are numbered from 1."""
    trace = error.__traceback__
    line = otherwise + 1
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(GENERATED) and trace.tb_lineno <= 2 * count:
            line = trace.tb_lineno
        trace = trace.tb_next
    return (line - 1) % count


def _raised(error: Exception) -> Exception:
    """What a function raised: out of a generator Python lets no StopIteration."""
    cause = error.__cause__
    return cause if type(error) is RuntimeError and isinstance(cause, StopIteration) else error
