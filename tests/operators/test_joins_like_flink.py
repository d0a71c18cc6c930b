"""Joins on a script of records and watermarks give the rows that Flink gave; both are in ``tests/results/java``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.contracts.output_tag import OutputTag
from penstock.data.elements import MAX_WATERMARK
from penstock.testing import OperatorHarness, harness_of, operator_of
from penstock.windows import (
    CountEvictor,
    CountTrigger,
    EventTimeSessionWindows,
    PurgingTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)

HERE = Path(__file__).resolve().parents[1] / "results" / "java"
LEFT_LATE, RIGHT_LATE = OutputTag("left-late"), OutputTag("right-late")


def recorded() -> dict[str, list[str]]:
    """The rows of Flink by the name of the program."""
    programs: dict[str, list[str]] = {}
    for line in (HERE / "joins-rows.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            rows = programs[line[2:]] = []
        else:
            rows.append(line)
    return programs


RECORDED = recorded()


def key_of(step: str) -> str:
    return step.split(" ")[1]


def name_of(step: str) -> str:
    return step.split(" ")[2]


def pair(left: str, right: str, ctx: Any) -> Iterator[str]:
    times = ctx.get_left_timestamp(), ctx.get_right_timestamp(), ctx.get_timestamp()
    yield f"{name_of(left)}+{name_of(right)}@{','.join(map(str, times))}"


def group(firsts: list[str], seconds: list[str]) -> Iterator[str]:
    yield f"{' '.join(map(name_of, firsts))}/{' '.join(map(name_of, seconds))}"


def interval(words: list[str]) -> Callable[[Any, Any], Any]:
    def write(left: Any, right: Any) -> Any:
        join = left.key_by(key_of).interval_join(right.key_by(key_of)).between(int(words[0]), int(words[1]))
        if len(words) == 3:
            join.lower_bound_exclusive().upper_bound_exclusive()
        join.side_output_left_late_data(LEFT_LATE).side_output_right_late_data(RIGHT_LATE)
        return join.process(pair)

    return write


def windowed(what: str, words: list[str]) -> Callable[[Any, Any], Any]:
    numbers = [int(word) for word in words if word.isdigit()]
    assigner: Any
    if words[0] == "session":
        assigner = EventTimeSessionWindows.with_gap(numbers[0])
    elif words[0] == "sliding":
        assigner = SlidingEventTimeWindows.of(*numbers)
    else:
        assigner = TumblingEventTimeWindows.of(numbers[0])

    def write(left: Any, right: Any) -> Any:
        streams = left.join(right) if what == "join" else left.co_group(right)
        windows = streams.where(key_of).equal_to(key_of).window(assigner)
        if "lateness" in words:
            windows.allowed_lateness(numbers[1])
        if "count" in words:
            windows.trigger(PurgingTrigger.of(CountTrigger.of(3)))
        if "evict" in words:
            windows.evictor(CountEvictor.of(2))
        if what == "co_group":
            return windows.apply(group)
        return windows.apply(lambda first, second: f"{name_of(first)}+{name_of(second)}")

    return write


def program(name: str) -> Callable[[Any, Any], Any]:
    what, *words = name.split(" ")
    return interval(words) if what == "interval" else windowed(what, words)


def play(harness: OperatorHarness, restores: bool) -> list[str]:
    """The rows of the script, as the program in Java prints them."""
    lines: list[str] = []
    for step in [*(HERE / "joins-script.txt").read_text("utf-8").splitlines(), f"W {MAX_WATERMARK}"]:
        time = int(step.rpartition(" ")[2])
        if step[0] != "W":
            harness.process_element(step, time, "LR".index(step[0]))
        elif time > harness.get_current_watermark():
            harness.process_watermark(time)
        outcome = harness.take_outcome()
        lines += [f"row|{record.value}|{record.timestamp}" for record in outcome.records]
        lines += [f"{tag}|{one.value}|{one.timestamp}" for tag, late in outcome.sides.items() for one in late]
        if restores:
            harness = harness.restored()
    harness.close()
    return lines


def comparable(name: str, rows: list[str]) -> list[str]:
    """Sorted; when sessions merge the order of their records hangs in Flink on the hashes of windows, so they are, too."""
    if name == "co_group session 5":
        groups = [row.split("|")[1].split("/") for row in rows]
        rows = [
            f"{row.rpartition('|')[2]} {[sorted(side.split()) for side in group]}"
            for row, group in zip(rows, groups, strict=True)
        ]
    return sorted(rows)


@pytest.mark.parametrize("restores", [False, True], ids=["in one go", "restored after every step"])
@pytest.mark.parametrize("name", RECORDED)
def test_the_rows_are_those_of_flink(name: str, restores: bool) -> None:
    rows = play(harness_of(program(name), 2), restores)
    assert comparable(name, rows) == comparable(name, RECORDED[name])


def test_all_kinds_of_joins_were_recorded() -> None:
    kinds = {operator_of(program(name), 2)[0].__class__.__name__ for name in RECORDED}
    assert kinds == {"IntervalJoinSpec", "WindowJoinSpec"}
    assert len(RECORDED) == 20
    assert any(row.startswith("right-late") for rows in RECORDED.values() for row in rows)
