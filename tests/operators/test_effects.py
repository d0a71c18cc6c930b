"""What the bytecode of a function tells of what it does to records."""
# ruff: noqa: PLW0108  (the calls are what is read)

import json
import math
import re
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from json import loads
from typing import Any, NamedTuple

import pytest

from penstock.contracts.effects import Effect
from penstock.datastream import KeyedProcessFunction, MapFunction
from penstock.datastream.state import ValueStateDescriptor
from penstock.operators.aggregations import FieldAggregation
from penstock.operators.effects import _HARMLESS_METHODS, effect_of, passes_once

LIMIT = 3
TABLE: dict[Any, Any] = {}
PATTERN = re.compile("x+")


@dataclass
class Event:
    key: str


class Pair(NamedTuple):
    key: str
    count: int


def parse(line: str) -> tuple[str, int]:
    key, _, value = line.split(",")
    return key, int(value)


def or_none(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def words(line: str) -> Iterator[tuple[str, int]]:
    for word in line.split():
        yield word, 1


def marked(row: Any) -> Any:
    row["seen"] = True
    return row


def renamed(row: Any) -> Any:
    row.name = "x"
    return row


def shorter(row: Any) -> Any:
    del row["x"]
    return row


def counted(row: Any) -> Any:
    row += [1]
    return row


def imported(row: Any) -> Any:
    import os

    return os.path.join(row)


@lru_cache
def cached(key: str) -> dict[str, Any]:
    return {"key": key}


class Scale(MapFunction):
    def __init__(self) -> None:
        self.factor = 2

    def map(self, value: Any) -> Any:
        return self.of(value)

    def of(self, value: Any) -> Any:
        return value * self.factor


class AddOne(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.unused = runtime_context.get_job_parameter("x", None)

    def map(self, value: Any) -> Any:
        return value + 1


class Remember(MapFunction):
    def map(self, value: Any) -> Any:
        self.last = value
        return value


class Derived(Remember):
    """Changes nothing itself."""


class Ask(KeyedProcessFunction):
    def process_element(self, value: Any, ctx: Any) -> Any:
        ctx.timer_service().register_event_time_timer(10)
        yield ctx.get_current_key(), value, self.state.value()


class Fire(Ask):
    def on_timer(self, timestamp: int, ctx: Any) -> Any:
        self.state.update([timestamp])


class Count(KeyedProcessFunction):
    def open(self, runtime_context: Any) -> None:
        descriptor = ValueStateDescriptor("count")
        self.count = runtime_context.get_state(descriptor)

    def process_element(self, value: Any, ctx: Any) -> Any:
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield value, count


class OfTheRecord(Count):
    def on_timer(self, timestamp: int, ctx: Any) -> None:
        ctx.count.update(timestamp)


class Total(KeyedProcessFunction):
    def open(self, runtime_context: Any) -> None:
        self.total = runtime_context.get_aggregating_state(None)

    def process_element(self, value: Any, ctx: Any) -> Any:
        self.total.add(value)
        yield self.total.get()


def closures() -> dict[str, Any]:
    factor, found = 4, {}

    def twice(value: Any) -> Any:
        return value * 2

    def change(value: Any) -> Any:
        found[value] = 1

    return {
        "number": lambda x: x * factor,
        "table": lambda x: found[x],
        "function": lambda x: twice(x),
        "comprehension": lambda xs: [(x, factor) for x in xs],
        "change": lambda x: change(x),
        "one of a table": lambda row: found[row[0]](row),
        "with a closure's value": lambda row: row[0](factor),
        "behind a module's attribute": lambda row: (math.pi, found[row](row)),
    }


CLOSURES = closures()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 3 * x + 1,
        lambda line: line.lower().split(),
        lambda word: (word, 1),
        lambda x: x if x > LIMIT else -x,
        lambda row: {**row, "a": [1]},
        lambda rows: sorted(rows, key=lambda row: row[1]),
        lambda x: f"{x!r:>5}",
        lambda line: json.loads(line),
        lambda line: loads(line),
        lambda x: math.sqrt(x),
        lambda line: PATTERN.findall(line),
        lambda key: Event(key),
        lambda key: Pair(key, 1),
        lambda line: parse(line),
        parse,
        or_none,
        words,
        len,
        int,
        str.strip,
        json.loads,
        Event,
        AddOne(),
        None,
        CLOSURES["number"],
        CLOSURES["function"],
        CLOSURES["comprehension"],
    ],
)
def test_what_makes_new_values_has_no_effect(function: Any) -> None:
    assert effect_of(function) is Effect.NONE


@pytest.mark.parametrize(
    "function",
    [
        lambda key: TABLE[key],
        lambda key: TABLE.get(key),
        lambda key, default=[]: default,
        Scale(),
        Scale().map,
        Ask(),
        Count(),
        CLOSURES["table"],
        FieldAggregation("sum", 1),
    ],
)
def test_what_gives_things_that_live_on_shares_them(function: Any) -> None:
    assert effect_of(function) is Effect.SHARES


@pytest.mark.parametrize(
    "function",
    [
        marked,
        renamed,
        shorter,
        counted,
        imported,
        cached,
        lambda key: cached(key),
        lambda row: marked(row),
        lambda row: row.append(1),
        lambda row: row.ask_for_something(),
        lambda make: make(),
        lambda x: not_there(x),  # noqa: F821
        partial(parse),
        Remember(),
        Derived(),
        Fire(),
        OfTheRecord(),
        Total(),
        object(),
        CLOSURES["change"],
        CLOSURES["one of a table"],
        CLOSURES["with a closure's value"],
        CLOSURES["behind a module's attribute"],
        lambda row: row["queue"].rotate(1),
        lambda array: array.partition(2),
    ],
)
def test_whatever_is_not_known_may_change_records(function: Any) -> None:
    assert effect_of(function) is Effect.CHANGES


@pytest.mark.parametrize(
    "made", [[1], {1: 2}, {1}, deque([1]), bytearray(b"a"), Counter("a"), array("q", [1])]
)
def test_no_method_that_changes_what_it_is_asked_of_is_harmless(made: Any) -> None:
    reading = {
        "copy",
        "count",
        "index",
        "get",
        "keys",
        "values",
        "items",
        "most_common",
        "elements",
        "total",
        "itemsize",
    }
    reading |= {
        "typecode",
        "tolist",
        "tobytes",
        "buffer_info",
        "tofile",
        "tounicode",
        "maxlen",
        "fromkeys",
        "subtract",
    }
    reading |= set(dir(bytes)) if isinstance(made, bytearray) else set()
    reading |= {name for name in dir(set) if name in dir(frozenset)}
    changing = {name for name in dir(made) if not name.startswith("_")} - reading
    assert not changing & _HARMLESS_METHODS


def test_of_several_functions_the_most_counts() -> None:
    assert effect_of((parse, marked)) is Effect.CHANGES
    assert effect_of((parse, lambda key: TABLE[key])) is Effect.SHARES
    assert effect_of(()) is Effect.NONE


@pytest.mark.parametrize("function", [lambda line: line.split(), lambda xs: xs, lambda row: row["items"]])
def test_a_function_that_asks_one_thing_gives_each_part_once(function: Any) -> None:
    assert passes_once(function)


@pytest.mark.parametrize(
    "function", [lambda x: [x, x], lambda xs: xs * 2, lambda xs: [(x, xs) for x in xs], words, list]
)
def test_what_puts_things_together_may_give_one_twice(function: Any) -> None:
    assert not passes_once(function)
