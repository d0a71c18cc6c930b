"""Tumbling windows that start at different times in different subtasks."""

from typing import Any

from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.assigners.stagger import WindowStagger
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows, TumblingProcessingTimeWindows


class OwnAssigner:
    """The assigner of one subtask. A staggered one is a copy, whose shift is drawn once and kept over restores."""

    def __init__(self, assigner: WindowAssigner[Any, Any]) -> None:
        self._assigner: Any = assigner
        self._staggered = False
        if isinstance(assigner, (TumblingEventTimeWindows, TumblingProcessingTimeWindows)):
            self._staggered = assigner.stagger is not WindowStagger.ALIGNED
            if self._staggered:
                self._assigner = type(assigner)(assigner.size_ms, assigner.offset_ms, assigner.stagger)

    def get(self) -> Any:
        """The assigner."""
        return self._assigner

    def snapshot(self) -> int | None:
        """By how much the windows are shifted, once it is known."""
        shift_ms: int | None = self._assigner._shift_ms if self._staggered else None
        return shift_ms

    def restore(self, shift_ms: int | None) -> None:
        """Go on with the windows as they were shifted before."""
        if shift_ms is not None and self._staggered:
            self._assigner = type(self._assigner)(self._assigner.size_ms, shift_ms)
