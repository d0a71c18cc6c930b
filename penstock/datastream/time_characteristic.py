"""Which time a whole program went by, before Flink 1.12."""

from enum import Enum


class TimeCharacteristic(Enum):
    """Kept for programs that set it."""

    ProcessingTime = 0
    IngestionTime = 1
    EventTime = 2


__all__ = ["TimeCharacteristic"]
