"""Calling a function of the user for each record of a batch, where it gives any number of results."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from inspect import isgeneratorfunction
from itertools import chain, islice
from typing import Any, Protocol

from penstock.contracts.state import KeyedStateBackend
from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import KeyNotUsable, PenstockError
from penstock.operators.apart import all_apart, keeps_apart
from penstock.operators.checkpointed import join_checkpoints
from penstock.operators.contract import OperatorContext
from penstock.operators.pieces import Work
from penstock.operators.runtime_context import OperatorRuntimeContext
from penstock.operators.user_code import GENERATED, callable_of, is_rich, shorten, user_error

Results = tuple[list[Any], list[int] | None]


class TimedContext(Protocol):
    """A context in which the timestamp of the record is set before each call."""

    time: int


class Calls:
    """Calls one function for the records of a batch, and gives what comes of it a piece at a time.

    A function that yields is read as it goes. What others return is a list as a rule, which is there anyway: so that not too
    many of them come together, a piece is of so many records as have given few enough before. The function is given ``ctx``
    with each record; with ``keyed_state`` the key of the record is the current one.
    """

    def __init__(
        self,
        context: OperatorContext,
        function: Callable[..., Iterable[Any] | None],
        ctx: TimedContext | None = None,
        keyed_state: KeyedStateBackend | None = None,
    ) -> None:
        self._context = context
        self._function = function
        self._ctx = ctx
        self._keyed_state = keyed_state
        self._yields = isgeneratorfunction(function)
        self._apart = keeps_apart(context)
        self._loops = [
            compile_calls(keyed_state is not None, ctx is not None, timed, self._yields, self._apart)
            for timed in (False, True)
        ]
        self._pieces = context.pieces
        self._fan_out = 1

    def run(self, batch: RowBatch, emit: Callable[[list[Any], list[int] | None], None]) -> Work:
        """Emit the results of a batch with their timestamps, a piece at a time."""
        for values, timestamps, records, is_last in self.of(batch):
            emit(values, timestamps)
            if is_last:
                return records
            yield records
        return 0

    def of(self, batch: RowBatch) -> Iterator[tuple[list[Any], list[int] | None, int, bool]]:
        """Each piece: results, their timestamps, of how many records it counts, and whether it is the last."""
        size, start = len(batch.values), 0
        while start < size:
            part = batch
            most = -(-self._pieces.most_rows // self._fan_out)
            if start > 0 or size > most:
                part = batch.slice(start, min(start + most, size))
            start += len(part.values)
            given, fan_out = 0, self._fan_out
            for values, timestamps, ends in self._results(part):
                given += len(values)
                if ends:
                    self._fan_out = max(1, fan_out // 2, -(-given // len(part.values)))
                yield values, timestamps, max(len(part.values) * fan_out, len(values)), ends and start >= size

    def _results(self, batch: RowBatch) -> Iterator[tuple[list[Any], list[int] | None, bool]]:
        """The results of a batch, and with the last of them True; in one piece unless there are many."""
        position = iter(batch.values)
        out: list[Any] = []
        ends: list[int] = []
        times = batch.timestamps
        loop = self._loops[times is not None]
        calls = loop(self._function, self._ctx, self._keyed_state, batch, position, out, ends)
        try:
            for _ in (self._read if self._yields else self._gather)(calls, out):
                values, stamps = out[:], None
                out.clear()
                if times is not None:
                    done = len(ends)
                    stamps = stamps_until(ends, times[:done]) or []
                    stamps = stamps + [times[done]] * (len(values) - len(stamps))
                    times = times[done:]
                    ends.clear()
                yield values, stamps, False
        except Exception as error:
            raise self._error(error, batch, position) from error
        if self._keyed_state is not None:
            self._keyed_state.after_records(len(batch.values))
        yield out, stamps_until(ends, times), True

    def _read(self, calls: Iterator[Iterable[Any]], out: list[Any]) -> Iterator[None]:
        """Read what the calls yield; stops whenever there is a piece of it."""
        results: Iterator[Any] = chain.from_iterable(calls)
        if self._apart:
            results = all_apart(results)
        while True:
            wanted = self._pieces.most_rows
            out.extend(islice(results, wanted))
            if len(out) < wanted:
                return
            yield

    def _gather(self, calls: Iterator[Iterable[Any]], out: list[Any]) -> Iterator[None]:
        """Read what is no list; the lists are there already."""
        for results in calls:
            iterator = all_apart(results) if self._apart else iter(results)
            while True:
                wanted = max(1, self._pieces.most_rows - len(out))
                before = len(out)
                out += islice(iterator, wanted)
                if len(out) - before < wanted:
                    break
                yield

    def _error(self, error: Exception, batch: RowBatch, position: Iterator[Any]) -> PenstockError:
        keyed_state = self._keyed_state
        if keyed_state is not None and key_is_unusable(error, keyed_state.current_key):
            return unusable_key(batch, self._context)
        return record_error(self._context, error, batch.values, position)


@lru_cache(maxsize=16)
def compile_calls(
    keyed: bool, takes_context: bool, timed: bool, yields: bool, apart: bool
) -> Callable[..., Iterator[Iterable[Any]]]:
    """The loop of calls: lists of results are put into ``out``, or all is yielded; ``ends`` says how far each record went.

    ``apart``: each result is copied when it is taken, unless it cannot change.
    """
    targets = ["value"] + ["state.current_key"] * keyed + ["ctx.time"] * (timed and takes_context)
    values = ["position"] + ["batch.keys"] * keyed + ["batch.timestamps"] * (timed and takes_context)
    source = values[0] if len(values) == 1 else f"zip({', '.join(values)}, strict=True)"
    listed = "all_apart(results)" if apart else "results"
    take = "if results is not None:\n            yield results"
    if not yields:
        take = f"if results.__class__ is list:\n            extend({listed})\n        el{take}"
    text = f"""
def calls(process, ctx, state, batch, position, out, ends):
    extend, end = out.extend, ends.append
    {"ctx.time = MIN_TIMESTAMP" if takes_context and not timed else "pass"}
    for {", ".join(targets)} in {source}:
        results = process(value{", ctx" * takes_context})
        {take}
        {"end(len(out))" * timed}
"""
    namespace: dict[str, Any] = {"MIN_TIMESTAMP": MIN_TIMESTAMP, "all_apart": all_apart}
    exec(compile(text, f"{GENERATED} calls>", "exec"), namespace)
    return namespace["calls"]  # type: ignore[no-any-return]


def stamps_until(ends: list[int], timestamps: list[int] | None) -> list[int] | None:
    """A timestamp for each result: those of record i end before ``ends[i]``.

    >>> stamps_until([2, 2, 3], [10, 20, 30])
    [10, 10, 30]
    """
    if timestamps is None or ends == list(range(1, len(ends) + 1)):
        return timestamps
    stamps: list[int] = []
    for stop, timestamp in zip(ends, timestamps, strict=True):
        stamps += [timestamp] * (stop - len(stamps))
    return stamps


def record_error(
    context: OperatorContext, error: Exception, values: list[Any], position: Iterator[Any]
) -> PenstockError:
    """The error for the record that an iterator over ``values`` has just given."""
    index = len(values) - position.__length_hint__() - 1  # type: ignore[attr-defined]
    return user_error(context, error, values[max(index, 0)])


def key_is_unusable(error: Exception, key: Any) -> bool:
    """Whether an exception is about a key that cannot be hashed; the task explains it then."""
    if not isinstance(error, TypeError) or "unhashable" not in str(error):
        return False
    try:
        hash(key)
    except TypeError:
        return True
    return False


def unusable_key(batch: RowBatch, context: OperatorContext) -> KeyNotUsable:
    """The error that names the first record with a key that cannot be hashed."""
    for key, value in zip(batch.keys or (), batch.values, strict=False):
        try:
            hash(key)
        except TypeError:
            return KeyNotUsable(
                f"the key {shorten(key)} of type {type(key).__name__} cannot be hashed; "
                f"return a tuple or another immutable value from the key selector; the record was {shorten(value)}"
            ).at(context.place)
    return KeyNotUsable(
        f"a key could not be hashed, and now all of its batch can, {shorten(batch.keys)}: the __hash__ of a key must always "
        "give the same; return a tuple or another immutable value from the key selector"
    ).at(context.place)


def methods_of(function: Any, names: tuple[str, ...], what: str) -> tuple[Callable[..., Any], ...]:
    """The methods of a function class, one for each input; of a plain function itself, of a tuple its functions."""
    if type(function) is tuple:
        return function
    return tuple(callable_of(function, name, what) for name in names)


def functions_in(function: Any) -> tuple[Any, ...]:
    """One function, or the several of a tuple."""
    return function if type(function) is tuple else (function,)


class FunctionLife:
    """Opens a function that has a life of its own, has it take part in checkpoints, and closes it if it was opened."""

    def __init__(self, function: Any, context: OperatorContext) -> None:
        self._all = functions_in(function)
        self._functions = [each for each in self._all if is_rich(each)]
        self._context = context
        self._opened: list[Any] = []

    def open(self) -> None:
        """Call ``initialize_state`` and ``open`` of the user."""
        join_checkpoints(self._all, self._context)
        try:
            for function in self._functions:
                function.open(OperatorRuntimeContext(self._context))
                self._opened.append(function)
        except Exception as error:
            raise user_error(self._context, error) from error

    def close(self) -> None:
        """Call ``close`` of the user."""
        try:
            while self._opened:
                self._opened.pop().close()
        except Exception as error:
            raise user_error(self._context, error) from error
