"""The window operator for windows that merge, such as sessions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from penstock.contracts.state import KeyedTable, MapStateDescriptor
from penstock.errors import ProgramError, ProtocolError
from penstock.operators.contract import OperatorContext
from penstock.operators.window.general import CONTINUE, GeneralWindows
from penstock.windows.merging import MergingWindowSet

if TYPE_CHECKING:
    from penstock.operators.window.spec import WindowSpec

SET_NAME = "merging-window-set"


class MergingWindows(GeneralWindows):
    """The windows of a key, and where the contents of each are, are kept as a map under the key."""

    merging = True

    def __init__(self, spec: "WindowSpec", context: OperatorContext) -> None:
        super().__init__(spec, context)
        self._sets: KeyedTable | None = None
        self._key: Any = None

    def open(self) -> None:
        super().open()
        self._sets = self.backend.table(MapStateDescriptor(SET_NAME))

    def _windows_of(self, key: Any) -> MergingWindowSet[Any]:
        assert self._sets is not None
        stored = self._sets.pane(None).get(key)
        return MergingWindowSet(self.assigner, stored.items() if stored else ())

    def _keep(self, key: Any, windows: MergingWindowSet[Any]) -> None:
        if not windows.changed:
            return
        assert self._sets is not None
        pairs = windows.to_pairs()
        if pairs:
            self._sets.pane(None)[key] = dict(pairs)
        else:
            self._sets.pane(None).pop(key, None)

    def add_record(self, key: Any, value: Any, timestamp: int) -> Iterator[int]:
        taken = False
        windows = self._windows_of(key)
        self._key = key
        for new_window in self.assigner.assign_windows(value, timestamp, self.assigner_context):
            window = windows.add_window(new_window, self._merge)
            cleanup_time = self.cleanup_time(window)
            if self.event_time and cleanup_time <= self.times.watermark:
                windows.retire_window(window)
                continue
            taken = True
            state_window = windows.get_state_window(window)
            if state_window is None:
                raise ProtocolError(f"{window} is not among the windows of its key, {windows}")
            self.store.add(state_window, key, value, timestamp)
            self.trigger_context.window = window
            result = self.trigger.on_element(value, timestamp, window, self.trigger_context)
            if result is not CONTINUE:
                yield from self.act(result, key, window, state_window, timestamp)
            self.register_cleanup(cleanup_time)
        self._keep(key, windows)
        if not taken and self.event_time:
            self.late.skipped(value, timestamp, self.times.watermark)

    def _merge(self, result: Any, merged: list[Any], state_window: Any, state_windows: list[Any]) -> None:
        """Bring triggers, timers and contents of ``merged`` together in ``result``."""
        self._check_still_open(result)
        key, context = self._key, self.trigger_context
        context.window = result
        context.merged = merged
        self.trigger.on_merge(result, context)
        context.merged = []
        for window in merged:
            context.window = window
            self.trigger.clear(window, context)
            self.delete_cleanup(key, window)
        context.deleted.clear()
        if state_windows:
            self.store.merge(state_window, state_windows)

    def _check_still_open(self, result: Any) -> None:
        if self.event_time and self.cleanup_time(result) <= self.times.watermark:
            raise ProgramError(
                f"the assigner merged windows that were not over into {result}, which is, at watermark "
                f"{self.times.watermark}; a merged window must not end before its parts"
            )

    def drop_leftover(self, key: Any, window: Any) -> None:
        windows = self._windows_of(key)
        state_window = windows.get_state_window(window)
        if state_window is not None:
            self.drop(key, window, state_window)
            windows.retire_window(window)
            self._keep(key, windows)

    def fire_timer(self, time: int, key: Any, window: Any, of_event_time: bool) -> Iterator[int]:
        windows = self._windows_of(key)
        state_window = windows.get_state_window(window)
        # A timer of a window that is no more: its trigger left it behind.
        if state_window is None:
            return
        if (yield from self.ask_trigger(time, key, window, state_window, of_event_time)):
            windows.retire_window(window)
            self._keep(key, windows)
