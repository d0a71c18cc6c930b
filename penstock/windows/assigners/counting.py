"""Windows that close after a number of records."""

from typing import Any, TypeVar

from penstock.contracts.state import ValueStateDescriptor, of_the_engine
from penstock.data.types import Types
from penstock.errors import ProgramError
from penstock.windows.assigners.assigner import WindowAssigner
from penstock.windows.serializers import CountWindowSerializer
from penstock.windows.triggers.counting import CountTrigger
from penstock.windows.triggers.trigger import Trigger
from penstock.windows.triggers.wrapping import PurgingTrigger
from penstock.windows.window import CountWindow

T = TypeVar("T")


class _CountingAssigner(WindowAssigner[T, CountWindow]):
    """Numbers the records of each key, starting with 0."""

    def __init__(self, window_size: int, count_state_name: str) -> None:
        _require_positive(type(self).__name__, "window_size", window_size)
        self.window_size = window_size
        self._count_descriptor = of_the_engine(ValueStateDescriptor(count_state_name, Types.LONG()))

    def next_count(self, context: WindowAssigner.WindowAssignerContext) -> int:
        """How many records of the current key came before this one."""
        state = context.get_runtime_context().get_state(self._count_descriptor)
        count: int = state.value() or 0
        state.update(count + 1)
        return count

    def get_default_trigger(self, env: Any) -> Trigger[T, CountWindow]:
        # A window that has fired is full and gets nothing more, and no time ever comes that would clean it up: purge it.
        return PurgingTrigger.of(CountTrigger.of(self.window_size))

    def get_window_serializer(self) -> CountWindowSerializer:
        return CountWindowSerializer()

    def is_event_time(self) -> bool:
        return False


class CountTumblingWindowAssigner(_CountingAssigner[T]):
    """Each ``window_size`` records of a key are a window; the last, unfinished one is never evaluated."""

    def __init__(self, window_size: int) -> None:
        super().__init__(window_size, "tumble-count-assigner")

    @staticmethod
    def of(window_size: int) -> "CountTumblingWindowAssigner[Any]":
        """Windows of ``window_size`` records."""
        return CountTumblingWindowAssigner(window_size)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[CountWindow]:
        return [CountWindow(self.next_count(context) // self.window_size)]

    def __repr__(self) -> str:
        return f"CountTumblingWindowAssigner({self.window_size})"


class CountSlidingWindowAssigner(_CountingAssigner[T]):
    """Every ``window_slide`` records of a key a window of ``window_size`` records begins.

    Only full windows are evaluated. A slide greater than the size leaves records out.
    """

    def __init__(self, window_size: int, window_slide: int) -> None:
        super().__init__(window_size, "slide-count-assigner")
        _require_positive(type(self).__name__, "window_slide", window_slide)
        self.window_slide = window_slide

    @staticmethod
    def of(window_size: int, window_slide: int) -> "CountSlidingWindowAssigner[Any]":
        """Windows of ``window_size`` records, one every ``window_slide`` records."""
        return CountSlidingWindowAssigner(window_size, window_slide)

    def assign_windows(
        self, element: T, timestamp: int, context: WindowAssigner.WindowAssignerContext
    ) -> list[CountWindow]:
        count = self.next_count(context)
        # Window n holds the records from n * slide up to n * slide + size; those that `count` is in are, latest first:
        latest = count // self.window_slide
        earliest = max(0, (count - self.window_size) // self.window_slide + 1)
        return [CountWindow(number) for number in range(latest, earliest - 1, -1)]

    def __repr__(self) -> str:
        return f"CountSlidingWindowAssigner({self.window_size}, {self.window_slide})"


def _require_positive(assigner: str, name: str, value: int) -> None:
    if value <= 0:
        raise ProgramError(f"{assigner}: {name} has to be positive, but it is {value}")
