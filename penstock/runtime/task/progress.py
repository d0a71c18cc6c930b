"""What a tasklet says after each step."""

from enum import Enum


class Progress(Enum):
    """MORE: step again at once. IDLE: nothing to do until something comes in. BLOCKED: no room in an output. DONE: over."""

    MORE = 0
    IDLE = 1
    BLOCKED = 2
    DONE = 3
