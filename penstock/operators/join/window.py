"""Joins and co-groups of two streams in windows: the window operators on both streams together, each record with its side.

What stands in a window is ``(side, value)``. Where a trigger, evictor or assigner sees it, it is a ``TaggedUnion``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any, ClassVar

from penstock.contracts.context import RuntimeContext
from penstock.contracts.functions import Function, WindowFunction
from penstock.contracts.join_functions import FlatJoinFunction, TaggedUnion
from penstock.data.batch import RowBatch
from penstock.data.elements import StreamStatus
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.user_code import callable_of
from penstock.operators.window.spec import WindowSpec

Results = Iterable[Any] | None


class OnTwoSides(WindowFunction[Any, Any, Any, Any]):
    """A window function made of a function of two sides, which it opens and closes."""

    method: ClassVar[str]

    def __init__(self, function: Any) -> None:
        self.function = function
        self.call: Callable[[Any, Any], Any] = callable_of(function, self.method, "apply")

    def open(self, runtime_context: RuntimeContext) -> None:
        if isinstance(self.function, Function):
            self.function.open(runtime_context)

    def close(self) -> None:
        if isinstance(self.function, Function):
            self.function.close()

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", None) or type(self.function).__name__


class CoGroup(OnTwoSides):
    """Gives both sides of a window to a ``CoGroupFunction``."""

    method = "co_group"

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Results:
        firsts, seconds = both_sides(inputs)
        results: Results = self.call(firsts, seconds)
        return results


class Join(OnTwoSides):
    """Gives each pair of a window to a ``JoinFunction`` or ``FlatJoinFunction``, the firsts in the outer loop."""

    method = "join"

    def apply(self, key: Any, window: Any, inputs: Iterable[Any]) -> Results:
        firsts, seconds = both_sides(inputs)
        if not firsts or not seconds:
            return None
        join = self.call
        if not isinstance(self.function, FlatJoinFunction):
            return [join(first, second) for first in firsts for second in seconds]
        results: list[Any] = []
        for first in firsts:
            for second in seconds:
                given = join(first, second)
                if given is not None:
                    results.extend(given)
        return results


def both_sides(inputs: Iterable[Any]) -> tuple[list[Any], list[Any]]:
    """The records of each side, in the order of their arrival.

    >>> both_sides([(0, "a"), (1, 7), (0, "b")])
    (['a', 'b'], [7])
    """
    return [value for side, value in inputs if not side], [value for side, value in inputs if side]


@dataclass(frozen=True, slots=True)
class WindowJoinSpec(OperatorSpec):
    """The windows' evaluation is a :class:`Join` or a :class:`CoGroup`."""

    ports: ClassVar[int] = 2

    windows: WindowSpec

    def build(self, context: OperatorContext) -> Operator:
        return WindowJoin(self, context)

    def user_functions(self) -> tuple[Any, ...]:
        windows = self.windows
        assert isinstance(windows.evaluation.function, OnTwoSides)
        functions = (windows.assigner, windows.trigger, windows.evictor, windows.evaluation.function.function)
        return tuple(function for function in functions if function is not None)

    @property
    def uses_keyed_state(self) -> bool:
        return True


class WindowJoin(Operator):
    """Says of each record which side it is of, and leaves everything else to the operator of the windows."""

    def __init__(self, spec: WindowJoinSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._windows = spec.windows.build(context)
        # Where nobody looks at them the tags are plain tuples, which are made in a third of the time.
        self._plain = spec.windows.fits_panes

    def open(self) -> None:
        self._windows.open()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        tagged: list[Any] = list(zip(repeat(port), batch.values, strict=False))
        if not self._plain:
            tagged = list(map(TaggedUnion, tagged))
        self._windows.on_batch(RowBatch(tagged, batch.timestamps, batch.keys))

    def on_watermark(self, timestamp: int) -> None:
        self._windows.on_watermark(timestamp)

    def on_status(self, status: StreamStatus) -> None:
        self._windows.on_status(status)

    def end_key(self, key: Any) -> None:
        self._windows.end_key(key)

    def finish(self) -> None:
        self._windows.finish()

    def snapshot(self, checkpoint_id: int) -> Any:
        return self._windows.snapshot(checkpoint_id)

    def restore(self, own: Any) -> None:
        self._windows.restore(own)

    def close(self) -> None:
        self._windows.close()
