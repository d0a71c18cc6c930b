"""The two times of a window operator."""

from penstock.clock import Clock
from penstock.contracts.state import ListStateDescriptor, OperatorStateBackend
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP

STATE_NAME = "window-watermarks"


class Times:
    """The watermark that the operator has come to, and the clock.

    While ``key_is_over`` (BATCH mode, after the last record of a key) no timer is taken any more.
    """

    __slots__ = ("_clock", "key_is_over", "watermark")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watermark = MIN_TIMESTAMP
        self.key_is_over = False

    def now_ms(self) -> int:
        """The clock's time."""
        return self._clock.now_ms()

    def save(self, operator_state: OperatorStateBackend | None) -> None:
        """Put the watermark where every subtask finds it again, however many there will be."""
        if operator_state is not None:
            known = [] if self.watermark == MAX_WATERMARK else [self.watermark]
            operator_state.get_union_list_state(ListStateDescriptor(STATE_NAME)).update(known)

    def recover(self, operator_state: OperatorStateBackend | None) -> None:
        """Go on from the least watermark of all subtasks, where none of this very subtask was restored.

        They are one where watermarks go to every subtask; the least is safe where they are not: nothing is late too early.
        """
        if operator_state is not None and self.watermark == MIN_TIMESTAMP:
            saved = operator_state.get_union_list_state(ListStateDescriptor(STATE_NAME)).get()
            self.watermark = min(saved, default=MIN_TIMESTAMP)

    def snapshot(self) -> int | None:
        """The watermark to go on from: without it records that were late would be taken again.

        Not the last one of all: a job that goes on from a drained savepoint gets new input.
        """
        return None if self.watermark in (MIN_TIMESTAMP, MAX_WATERMARK) else self.watermark
