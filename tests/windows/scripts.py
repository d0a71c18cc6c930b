"""Plays the lines of ``flink_rows.py`` on penstock's own windows and writes down what happens, in the form of those rows.

``T <trigger>``: a new trigger. ``E <window> <timestamp> <value> <watermark> <clock>``: a record. ``V <window> <time>`` and
``P <window> <time>``: a timer of event or processing time. ``M <result> <windows>``: a merge. ``C <window>``: clear.
The row shows what the trigger answered, and the event-time and processing-time timers that stand afterwards.
"""

from typing import Any

from penstock.windows import (
    ContinuousEventTimeTrigger,
    ContinuousProcessingTimeTrigger,
    CountTrigger,
    DeltaTrigger,
    EventTimeTrigger,
    ProcessingTimeoutTrigger,
    ProcessingTimeTrigger,
    PurgingTrigger,
    TimeWindow,
    Trigger,
    Window,
)
from tests.windows.trigger_stage import TriggerStage


class Player:
    """Plays one line after the other."""

    def __init__(self) -> None:
        self.stage = TriggerStage(EventTimeTrigger.create())

    def play(self, line: str) -> str:
        what, *words = line.split()
        if what == "T":
            self.stage = TriggerStage(make_trigger(words))
            return "trigger"
        result = self._play_step(what, words)
        return f"{result} e{show(self.stage.event_timers)} p{show(self.stage.processing_timers)}"

    def _play_step(self, what: str, words: list[str]) -> str:
        stage = self.stage
        window = parse_window(words[0])
        match what, words[1:]:
            case "E", [timestamp, value, watermark, now]:
                stage.watermark, stage.now_ms = int(watermark), int(now)
                return stage.element(int(value), int(timestamp), window).name
            case "V", [time]:
                return stage.event_time(int(time), window).name
            case "P", [time]:
                return stage.processing_time(int(time), window).name
            case "M", merged:
                stage.merge(window, [parse_window(word) for word in merged])
            case "C", []:
                stage.clear(window)
            case _:
                raise AssertionError(f"no such step: {what} {words}")
        return "-"


def make_trigger(words: list[str]) -> Trigger[Any, Any]:
    """The trigger that a ``T`` line describes."""
    match words:
        case ["event"]:
            return EventTimeTrigger.create()
        case ["processing"]:
            return ProcessingTimeTrigger.create()
        case ["cevent", interval]:
            return ContinuousEventTimeTrigger.of(int(interval))
        case ["cproc", interval]:
            return ContinuousProcessingTimeTrigger.of(int(interval))
        case ["count", count]:
            return CountTrigger.of(int(count))
        case ["delta", threshold]:
            return DeltaTrigger.of(float(threshold), lambda old, new: abs(old - new))
        case ["purging", *nested]:
            return PurgingTrigger.of(make_trigger(nested))
        case ["timeout", timeout, reset, clear, *nested]:
            return ProcessingTimeoutTrigger.of(make_trigger(nested), int(timeout), reset == "1", clear == "1")
    raise AssertionError(f"no such trigger: {words}")


def parse_window(word: str) -> TimeWindow:
    start, _, end = word.rpartition("-")
    return TimeWindow(int(start), int(end))


def show(timers: set[tuple[Window, int]]) -> str:
    """Timers as Flink's side of the comparison prints them."""
    texts = [
        f"{window.start}-{window.end}:{time}" for window, time in timers if isinstance(window, TimeWindow)
    ]
    return f"[{', '.join(sorted(texts))}]"
