"""The two times of a window operator."""

from penstock.clock import Clock
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP


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

    def snapshot(self) -> int | None:
        """The watermark to go on from: without it records that were late would be taken again.

        Not the last one of all: a job that goes on from a drained savepoint gets new input.
        """
        return None if self.watermark in (MIN_TIMESTAMP, MAX_WATERMARK) else self.watermark
