"""Calls the user's window function for a window that fires."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.contracts.context import WindowContext
from penstock.contracts.functions import ProcessAllWindowFunction, ProcessWindowFunction
from penstock.contracts.state import KeyedStateBackend, KeyedStateStore
from penstock.data.own_copies import copies_or_same
from penstock.errors import PenstockError, ProgramError
from penstock.operators.apart import each_apart, keeps_apart
from penstock.operators.collector import Collector
from penstock.operators.contract import OperatorContext
from penstock.operators.process_records import FunctionLife
from penstock.operators.user_code import callable_of, shorten, user_error
from penstock.operators.window.description import Aggregated, Style
from penstock.operators.window.times import Times

if TYPE_CHECKING:
    from penstock.operators.window.spec import WindowSpec

Call = Callable[[Any, Any, list[Any]], Iterable[Any] | None]


class Evaluator:
    """The functions of the user, from ``open`` to ``close``; results go to the collector.

    ``merging``: windows may become one, so that they have no state of their own.
    """

    def __init__(self, spec: "WindowSpec", context: OperatorContext, times: Times, merging: bool) -> None:
        assert context.keyed_state is not None
        self._context = context
        self._spec = spec
        self._function = spec.evaluation.function
        self.collector = Collector(context, spec.output_type)
        self._window_context = OperatorWindowContext(context.keyed_state, times, self.collector, merging)
        self._copies = keeps_apart(context) and not isinstance(spec.contents, Aggregated)
        self._life = FunctionLife((getattr(spec.contents, "function", None), self._function), context)
        self._call: Call = _pass_on
        self.passes_on = spec.evaluation.style is Style.PASS
        self.has_clear = self._finds_clear()

    def _finds_clear(self) -> bool:
        if self._spec.evaluation.style is not Style.PROCESS:
            return False
        clear = getattr(type(self._function), "clear", None)
        return clear not in (None, ProcessWindowFunction.clear, ProcessAllWindowFunction.clear)

    def open(self) -> None:
        """Open the functions that want it."""
        self._life.open()
        self._call = self._make_call()

    def _make_call(self) -> Call:
        evaluation, context = self._spec.evaluation, self._window_context
        if evaluation.style is Style.PASS:
            return _pass_on
        if evaluation.style is Style.APPLY:
            apply = each_apart(self._context, callable_of(self._function, "apply", "apply"))
            return apply if evaluation.keyed else lambda key, window, elements: apply(window, elements)
        process = each_apart(self._context, callable_of(self._function, "process", "process"))
        if evaluation.keyed:
            return lambda key, window, elements: process(key, context, elements)
        return lambda key, window, elements: process(context, elements)

    def begin(
        self, key: Any, window: Any, elements: list[Any], timestamp: int, is_last: bool = False
    ) -> Iterator[Any] | None:
        """Call the window function; its results carry ``timestamp``. ``is_last``: the contents are dropped afterwards, so
        that the function may change them.

        Returns what is left of the results when the collector is full, for :meth:`go_on` after a flush; None for nothing.
        """
        if self._copies and (self.passes_on or not is_last):
            elements = copies_or_same(elements)
        self._window_context.set(window, timestamp)
        try:
            return self.collector.take_piece(self._call(key, window, elements), timestamp)
        except Exception as error:
            raise self._explain(error, key, window) from error

    def go_on(self, rest: Iterator[Any], key: Any, window: Any, timestamp: int) -> Iterator[Any] | None:
        """Take more of the results."""
        try:
            return self.collector.take_piece(rest, timestamp)
        except Exception as error:
            raise self._explain(error, key, window) from error

    def clear(self, key: Any, window: Any) -> None:
        """Tell the function that the window is over."""
        if not self.has_clear:
            return
        self._window_context.set(window, window.max_timestamp())
        try:
            self._function.clear(self._window_context)
        except Exception as error:
            raise self._explain(error, key, window) from error

    def _explain(self, error: Exception, key: Any, window: Any) -> PenstockError:
        return user_error(self._context, error).at(f"when {window} of key {shorten(key)} was evaluated")

    def close(self) -> None:
        """Close the functions that were opened."""
        self._life.close()


def _pass_on(key: Any, window: Any, elements: list[Any]) -> list[Any]:
    return elements


class OperatorWindowContext(WindowContext[Any]):
    """What process window functions are given; one object for all windows, set before each call."""

    def __init__(self, backend: KeyedStateBackend, times: Times, collector: Collector, merging: bool) -> None:
        self._backend = backend
        self._times = times
        self._collector = collector
        self._merging = merging
        self._window: Any = None
        self._timestamp = 0

    def set(self, window: Any, timestamp: int) -> None:
        """The window that the next call is about, and the timestamp of what it emits."""
        self._window = window
        self._timestamp = timestamp

    def window(self) -> Any:
        return self._window

    def current_processing_time(self) -> int:
        return self._times.now_ms()

    def current_watermark(self) -> int:
        return self._times.watermark

    def window_state(self) -> KeyedStateStore:
        return _NoWindowState() if self._merging else self._backend.store(self._window)

    def global_state(self) -> KeyedStateStore:
        return self._backend

    def output(self, output_tag: Any, value: Any) -> None:
        self._collector.aside(output_tag, value, self._timestamp)


class _NoWindowState(KeyedStateStore):
    """Refuses all state."""

    def get_state(self, state_descriptor: Any) -> NoReturn:
        raise ProgramError(
            "Per-window state is not allowed when using merging windows. "
            "Keep it in global_state(), which belongs to the key"
        )

    get_list_state = get_map_state = get_reducing_state = get_aggregating_state = get_state
