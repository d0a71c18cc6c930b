"""One window for everything."""

from typing import Any, TypeVar

from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.serializers import GlobalWindowSerializer
from penstock.windows.triggers.once import EndOfStreamTrigger, NeverTrigger
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.window import GlobalWindow

T = TypeVar("T")


class GlobalWindows(WindowAssigner[T, GlobalWindow]):
    """Puts every record of a key into the same window, which needs a trigger of its own to be evaluated.

    >>> GlobalWindows.create().assign_windows("record", 10, None)
    [GlobalWindow]
    """

    def __init__(self, default_trigger: Trigger[Any, GlobalWindow] | None = None) -> None:
        self._default_trigger: Trigger[Any, GlobalWindow] = default_trigger or NeverTrigger()

    @staticmethod
    def create() -> "GlobalWindows[Any]":
        """A global window that is not evaluated unless the program sets a trigger."""
        return GlobalWindows()

    @staticmethod
    def create_with_end_of_stream_trigger() -> "GlobalWindows[Any]":
        """A global window that is evaluated once, when the input has ended."""
        return GlobalWindows(EndOfStreamTrigger())

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext | None
    ) -> list[GlobalWindow]:
        return [GlobalWindow.get()]

    def get_default_trigger(self, env: Any) -> Trigger[T, GlobalWindow]:
        return self._default_trigger

    def get_window_serializer(self) -> GlobalWindowSerializer:
        return GlobalWindowSerializer()

    def is_event_time(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "GlobalWindows()"
