"""What puts records into windows."""

from penstock.windows.assigners.assigner import MergingWindowAssigner, WindowAssigner
from penstock.windows.assigners.counting import CountSlidingWindowAssigner, CountTumblingWindowAssigner
from penstock.windows.assigners.global_windows import GlobalWindows
from penstock.windows.assigners.sessions import (
    DynamicEventTimeSessionWindows,
    DynamicProcessingTimeSessionWindows,
    EventTimeSessionWindows,
    ProcessingTimeSessionWindows,
    SessionWindowTimeGapExtractor,
)
from penstock.windows.assigners.sliding import SlidingEventTimeWindows, SlidingProcessingTimeWindows
from penstock.windows.assigners.stagger import WindowStagger
from penstock.windows.assigners.tumbling import TumblingEventTimeWindows, TumblingProcessingTimeWindows

__all__ = [
    "CountSlidingWindowAssigner",
    "CountTumblingWindowAssigner",
    "DynamicEventTimeSessionWindows",
    "DynamicProcessingTimeSessionWindows",
    "EventTimeSessionWindows",
    "GlobalWindows",
    "MergingWindowAssigner",
    "ProcessingTimeSessionWindows",
    "SessionWindowTimeGapExtractor",
    "SlidingEventTimeWindows",
    "SlidingProcessingTimeWindows",
    "TumblingEventTimeWindows",
    "TumblingProcessingTimeWindows",
    "WindowAssigner",
    "WindowStagger",
]
