"""Scripts of records and watermarks, and the slow and obvious way to put them into windows."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from penstock.contracts.functions import AggregateFunction
from penstock.data.elements import MAX_WATERMARK
from penstock.operators.window.spec import Aggregated, Collected, Contents, Evaluation, Reduced, Style
from tests.operators.window.window_stage import Row, WindowStage

Batch = list[tuple[str, int]]
Step = Batch | int
"""Some records, as key and timestamp, or a watermark."""

Script = list[Step]

batches = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-30, 60)), max_size=12)
scripts = st.lists(batches | st.integers(-30, 80), max_size=10)


class Joined(AggregateFunction):
    """Joins values in the order in which they come; the accumulator is changed in place."""

    def create_accumulator(self) -> list[int]:
        return []

    def add(self, value: tuple[str, tuple[int, ...]], accumulator: list[int]) -> list[int]:
        accumulator.extend(value[1])
        return accumulator

    def get_result(self, accumulator: list[int]) -> tuple[int, ...]:
        return tuple(accumulator)

    def merge(self, acc_a: list[int], acc_b: list[int]) -> list[int]:
        return acc_a + acc_b


def show(key: str, window: Any, elements: list[Any]) -> list[Any]:
    """A window function that tells all that it was given."""
    return [(key, window.start, window.end, tuple(elements))]


def concatenated(
    one: tuple[str, tuple[int, ...]], two: tuple[str, tuple[int, ...]]
) -> tuple[str, tuple[int, ...]]:
    """A reduce function by which the order of the records can be told."""
    return one[0], one[1] + two[1]


FORMS: dict[str, tuple[Contents, Evaluation]] = {
    "reduce": (Reduced(concatenated), Evaluation()),
    "reduce and apply": (Reduced(concatenated), Evaluation(Style.APPLY, show)),
    "aggregate": (Aggregated(Joined()), Evaluation()),
    "aggregate and apply": (Aggregated(Joined()), Evaluation(Style.APPLY, show)),
    "apply": (Collected(), Evaluation(Style.APPLY, show)),
}


def result_of(form: str, key: str, start: int, end: int, numbers: list[int]) -> Any:
    """What a form makes of a window that holds these records of a key."""
    whole = tuple(numbers)
    return {
        "reduce": (key, whole),
        "reduce and apply": (key, start, end, ((key, whole),)),
        "aggregate": whole,
        "aggregate and apply": (key, start, end, (whole,)),
        "apply": (key, start, end, tuple((key, (number,)) for number in whole)),
    }[form]


@dataclass
class Played:
    """What came out of each step, and what was late."""

    steps: list[list[Row]] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)

    @property
    def without_order(self) -> tuple[list[list[Row]], list[Row]]:
        """The same, the rows of each step sorted: after a restore keys come in another order."""
        return [sorted(rows) for rows in self.steps], self.late


def play(script: Script, stage: WindowStage) -> Played:
    """Give a script to an operator, and the last watermark after it."""
    played = Played()
    number = 0
    for step in [*script, MAX_WATERMARK]:
        if isinstance(step, int):
            stage.watermark(step)
        else:
            stage.give([(key, (key, (number + i,)), time) for i, (key, time) in enumerate(step)])
            number += len(step)
        played.steps.append(stage.take_rows())
    played.late = stage.sides["late"]
    return played


@dataclass
class Oracle:
    """Windows of event time with the default trigger, as one would explain them."""

    size: int
    slide: int
    offset: int
    lateness: int
    form: str
    watermark: int = -(2**63)
    windows: dict[int, dict[str, list[int]]] = field(default_factory=dict)

    def play(self, script: Script) -> Played:
        played = Played()
        number = 0
        for step in [*script, MAX_WATERMARK]:
            rows: list[Row] = []
            if isinstance(step, int):
                if step > self.watermark:
                    rows = self._advance(step)
            else:
                for key, time in step:
                    rows += self._add(key, number, time, played)
                    number += 1
            played.steps.append(rows)
        return played

    def _add(self, key: str, number: int, time: int, played: Played) -> list[Row]:
        starts = [
            start for start in range(time, time - self.size, -1) if (start - self.offset) % self.slide == 0
        ]
        rows: list[Row] = []
        taken = False
        for start in starts:
            end = start + self.size - 1
            if end + self.lateness <= self.watermark:
                continue
            taken = True
            self.windows.setdefault(start, {}).setdefault(key, []).append(number)
            if end <= self.watermark:
                rows.append(self._row(start, key))
        if not taken and time + self.lateness <= self.watermark:
            played.late.append(((key, (number,)), time))
        return rows

    def _advance(self, watermark: int) -> list[Row]:
        rows: list[Row] = []
        for start in sorted(self.windows):
            end = start + self.size - 1
            if self.watermark < end <= watermark:
                rows += [self._row(start, key) for key in self.windows[start]]
            if end + self.lateness <= watermark:
                del self.windows[start]
        self.watermark = watermark
        return rows

    def _row(self, start: int, key: str) -> Row:
        end = start + self.size
        return result_of(self.form, key, start, end, self.windows[start][key]), end - 1
