"""Joins, from the program to its rows, and what is said of wrong arguments."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import Duration, WatermarkStrategy
from penstock.contracts.join_functions import CoGroupFunction, JoinFunction, ProcessJoinFunction
from penstock.datastream import DataStream, MapFunction, OutputTag, StreamExecutionEnvironment
from penstock.datastream.window import (
    CountEvictor,
    EventTimeSessionWindows,
    EventTimeTrigger,
    SlidingEventTimeWindows,
    TumblingEventTimeWindows,
)
from penstock.errors import ProgramError

CLICKS = [("ada", 10), ("bo", 20), ("ada", 31), ("cy", 40)]
ORDERS = [("ada", 12), ("bo", 35), ("ada", 33), ("ada", 39), ("di", 50)]


def environment(mode: str = "STREAMING", parallelism: int = 1) -> StreamExecutionEnvironment:
    env = StreamExecutionEnvironment.get_execution_environment({"execution.runtime-mode": mode})
    return env.set_parallelism(parallelism)


def streams(env: StreamExecutionEnvironment) -> tuple[DataStream, DataStream]:
    times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda row, _: row[1])
    clicks = env.from_collection(CLICKS).assign_timestamps_and_watermarks(times)
    return clicks, env.from_collection(ORDERS).assign_timestamps_and_watermarks(times)


def rows(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as results:
        return sorted(results, key=repr)


def pair(left: Any, right: Any, ctx: Any) -> list[Any]:
    return [(left and left[1], right and right[1])]


MODES = pytest.mark.parametrize(
    ("mode", "parallelism"), [("STREAMING", 1), ("BATCH", 1), ("STREAMING", 2), ("BATCH", 2)]
)


@MODES
def test_an_interval_join_gives_the_pairs_that_are_near(mode: str, parallelism: int) -> None:
    clicks, orders = streams(environment(mode, parallelism))
    near = clicks.key_by(0).interval_join(orders.key_by(0)).between(Duration.of_millis(-3), 5)
    assert rows(near.process(pair)) == [(10, 12), (31, 33)]


@pytest.mark.parametrize(
    ("form", "unmatched"),
    [
        ("left_outer", [(20, None), (40, None)]),
        ("right_outer", [(None, 35), (None, 39), (None, 50)]),
        ("full_outer", [(20, None), (40, None), (None, 35), (None, 39), (None, 50)]),
    ],
)
@MODES
def test_outer_forms_give_single_records_too(
    form: str, unmatched: list[Any], mode: str, parallelism: int
) -> None:
    clicks, orders = streams(environment(mode, parallelism))
    near = clicks.key_by(0).interval_join(orders.key_by(0)).between(-3, 5)
    assert rows(getattr(near, form)().process(pair)) == sorted([(10, 12), (31, 33), *unmatched], key=repr)


def test_exclusive_bounds_leave_the_ends_out() -> None:
    clicks, orders = streams(environment())
    near = clicks.key_by(0).interval_join(orders.key_by(0)).in_event_time().between(2, 8)
    assert rows(near.process(pair)) == [(10, 12), (31, 33), (31, 39)]
    assert rows(near.lower_bound_exclusive().process(pair)) == [(31, 39)]
    assert rows(near.upper_bound_exclusive().process(pair)) == []


@MODES
def test_a_join_in_windows_gives_each_pair(mode: str, parallelism: int) -> None:
    clicks, orders = streams(environment(mode, parallelism))
    keyed = clicks.join(orders).where(0).equal_to(lambda order: order[0])
    windows = keyed.window(TumblingEventTimeWindows.of(20))
    assert rows(windows.apply(lambda c, o: (c[1], o[1]))) == [(10, 12), (20, 35), (31, 33), (31, 39)]


@MODES
def test_a_co_group_gives_each_key_and_window(mode: str, parallelism: int) -> None:
    clicks, orders = streams(environment(mode, parallelism))
    grouped = clicks.co_group(orders).where(0).equal_to(0).window(EventTimeSessionWindows.with_gap(10))

    def count(firsts: Any, seconds: Any) -> list[Any]:
        # Two subtasks read each input, so what is of one key comes in any order.
        return [(sorted(c[1] for c in firsts), sorted(o[1] for o in seconds))]

    assert rows(grouped.apply(count)) == [
        ([10], [12]),
        ([20], []),
        ([31], [33, 39]),
        ([40], []),
        ([], [35]),
        ([], [50]),
    ]


def test_settings_of_windows_change_the_join_and_are_given_back() -> None:
    clicks, orders = streams(environment())
    windows = clicks.join(orders).where(0).equal_to(0).window(SlidingEventTimeWindows.of(20, 10))
    assert windows.trigger(EventTimeTrigger.create()) is windows
    assert windows.evictor(CountEvictor.of(2)) is windows
    assert windows.allowed_lateness(Duration.of_millis(5)) is windows
    assert rows(windows.apply(lambda c, o: (c[1], o[1]))) == [(10, 12), (10, 12), (20, 35)]


def test_late_records_can_be_read_from_side_outputs() -> None:
    left, right = OutputTag("left"), OutputTag("right")
    clicks, orders = streams(environment())
    near = clicks.key_by(0).interval_join(orders.key_by(0)).between(0, 5)
    joined = near.side_output_left_late_data(left).side_output_right_late_data(right).process(pair)
    assert rows(joined.get_side_output(left).union(joined.get_side_output(right))) == []


class Sum(JoinFunction):
    def join(self, first: Any, second: Any) -> Any:
        return first[1] + second[1]


def test_a_joined_stream_is_named_and_goes_on() -> None:
    clicks, orders = streams(environment())
    windows = clicks.join(orders).where(0).equal_to(0).window(TumblingEventTimeWindows.of(20))
    joined = windows.apply(Sum())
    assert joined.get_name() == "TumblingEventTimeWindows"
    assert rows(joined.name("sums").map(lambda total: -total)) == [-22, -55, -64, -70]
    near = clicks.key_by(0).interval_join(orders.key_by(0)).between(0, 1)
    assert near.process(pair).get_name() == "Interval Join"


def _near(clicks: DataStream, orders: DataStream) -> Any:
    return clicks.key_by(0).interval_join(orders.key_by(0))


def _windows(clicks: DataStream, orders: DataStream) -> Any:
    return clicks.join(orders).where(0).equal_to(0).window(TumblingEventTimeWindows.of(20))


WRONG: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "join with a list": (lambda a, b: a.join([1]), "join takes a DataStream"),
    "co_group with a list": (lambda a, b: a.co_group([1]), "co_group takes a DataStream"),
    "connected streams": (lambda a, b: a.join(a.connect(b)), "joined with a DataStream, not with"),
    "another environment": (lambda a, b: a.join(streams(environment())[0]), "streams of one environment"),
    "interval without keys": (lambda a, b: a.key_by(0).interval_join(b), "takes a KeyedStream"),
    "processing time": (lambda a, b: _near(a, b).in_processing_time(), "only supported in event time"),
    "bounds": (lambda a, b: _near(a, b).between(5, -5), "5 ms, lies behind the upper one, -5 ms"),
    "bound of a type": (lambda a, b: _near(a, b).between(None, 5), "lower bound is not a length of time"),
    "empty": (
        lambda a, b: _near(a, b).between(0, 0).lower_bound_exclusive().process(pair),
        "nothing lies between 0 ms and 0 ms",
    ),
    "tag": (lambda a, b: _near(a, b).between(0, 1).side_output_left_late_data("x"), "takes an OutputTag"),
    "function": (lambda a, b: _near(a, b).between(0, 1).process(5), "takes a function or an object"),
    "arity": (lambda a, b: _near(a, b).between(0, 1).process(lambda x, y: []), "with 3 arguments"),
    "class": (lambda a, b: _near(a, b).between(0, 1).process(Pairs), r"write Pairs\(\)"),
    "kind": (lambda a, b: _near(a, b).between(0, 1).process(Mapped()), "takes a ProcessJoinFunction"),
    "assigner": (
        lambda a, b: a.join(b).where(0).equal_to(0).window(20),
        "a window is given by a WindowAssigner",
    ),
    "key": (lambda a, b: a.join(b).where(None), "get_key takes a function"),
    "trigger": (lambda a, b: _windows(a, b).trigger(1), "trigger takes a Trigger"),
    "join of one": (lambda a, b: _windows(a, b).apply(lambda x: x), "with 2 arguments"),
    "co-group for a join": (lambda a, b: _windows(a, b).apply(Grouped()), "join takes a JoinFunction"),
}


class Pairs(ProcessJoinFunction):
    def process_element(self, left: Any, right: Any, ctx: Any) -> Any:
        return [(left, right)]


class Mapped(MapFunction):
    def map(self, value: Any) -> Any:
        return value


class Grouped(CoGroupFunction):
    def co_group(self, firsts: Any, seconds: Any) -> Any:
        return [firsts]


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_are_refused_at_the_line_of_the_user(what: str) -> None:
    write, message = WRONG[what]
    clicks, orders = streams(environment())
    with pytest.raises(ProgramError, match=message) as raised:
        write(clicks, orders)
    assert str(inspect.getsourcefile(write)) in str(raised.value)


def test_the_function_is_a_copy_of_its_own_in_each_operator() -> None:
    clicks, orders = streams(environment())
    function = Sum()
    windows = _windows(clicks, orders)
    windows.apply(function)
    first = windows.apply(function)
    node = first._environment.program.node(first._node_id)
    assert node.spec.user_functions()[-1] is not function
    assert isinstance(node.spec.user_functions()[-1], Sum)
