"""When the tumbling windows of a subtask start, relative to those of other subtasks."""

from enum import Enum
from typing import TYPE_CHECKING

from penstock.windows.window import TimeWindow

if TYPE_CHECKING:
    from random import Random


class WindowStagger(Enum):
    """How far the windows of one subtask are shifted, so that not all subtasks emit at the same moment.

    ``ALIGNED``: not at all. ``RANDOM``: by chance, evenly over the size of the window. ``NATURAL``: as far as the clock is
    into a window when the first record comes.
    """

    ALIGNED = "aligned"
    RANDOM = "random"
    NATURAL = "natural"

    def get_stagger_offset(
        self, current_processing_time: int, size: int, generator: "Random | None" = None
    ) -> int:
        """The shift in milliseconds, from 0 up to but not including ``size``; chance comes from ``generator``.

        >>> WindowStagger.NATURAL.get_stagger_offset(1_003, 10)
        3
        """
        if self is WindowStagger.ALIGNED:
            return 0
        if self is WindowStagger.NATURAL:
            return current_processing_time - TimeWindow.get_window_start_with_offset(
                current_processing_time, 0, size
            )
        if generator is None:
            from penstock.chance import secret_token, seeded

            generator = seeded(int.from_bytes(secret_token(8), "big"))
        return generator.randrange(size)
