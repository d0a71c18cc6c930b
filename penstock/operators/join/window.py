"""Joins and co-groups of two streams in windows: the window operators on both streams together, each record with its side.

What stands in a window is ``(side, value)``. Where a trigger, evictor or assigner sees it, it is a ``TaggedUnion``.
"""

from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any, ClassVar

from penstock.contracts.effects import Effect
from penstock.contracts.join_functions import TaggedUnion
from penstock.data.batch import RowBatch
from penstock.data.elements import StreamStatus
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.join.panes import JoinPanes
from penstock.operators.join.two_sides import Join, OnTwoSides
from penstock.operators.window.spec import WindowSpec


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
    def effect(self) -> Effect:
        return self.windows.effect

    @property
    def uses_keyed_state(self) -> bool:
        return True


class WindowJoin(Operator):
    """Says of each record which side it is of, and leaves everything else to the operator of the windows."""

    def __init__(self, spec: WindowJoinSpec, context: OperatorContext) -> None:
        super().__init__(context)
        # Where nobody looks at them the tags are plain tuples, which are made in a third of the time.
        self._plain = spec.windows.fits_panes
        self._windows = self._build(spec.windows, context)

    @staticmethod
    def _build(windows: WindowSpec, context: OperatorContext) -> Operator:
        function = windows.evaluation.function
        if isinstance(function, Join):
            evaluation = replace(windows.evaluation, function=function.kept_apart(context))
            windows = replace(windows, evaluation=evaluation)
        if windows.fits_panes and isinstance(windows.evaluation.function, Join):
            return JoinPanes(windows, context)
        return windows.build(context)

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
