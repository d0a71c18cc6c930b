"""When a window is evaluated."""

from penstock.windows.triggers.continuous import ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger
from penstock.windows.triggers.counting import CountTrigger, DeltaTrigger
from penstock.windows.triggers.once import (
    EndOfStreamTrigger,
    EventTimeTrigger,
    NeverTrigger,
    ProcessingTimeTrigger,
)
from penstock.windows.triggers.trigger import Trigger, TriggerResult
from penstock.windows.triggers.wrapping import ProcessingTimeoutTrigger, PurgingTrigger

__all__ = [
    "ContinuousEventTimeTrigger",
    "ContinuousProcessingTimeTrigger",
    "CountTrigger",
    "DeltaTrigger",
    "EndOfStreamTrigger",
    "EventTimeTrigger",
    "NeverTrigger",
    "ProcessingTimeTrigger",
    "ProcessingTimeoutTrigger",
    "PurgingTrigger",
    "Trigger",
    "TriggerResult",
]
