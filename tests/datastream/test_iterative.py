"""Iterations: records come back, loops end, and what cannot work is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import Types
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.datastream import (
    KeyedProcessFunction,
    MapFunction,
    RuntimeExecutionMode,
    StreamExecutionEnvironment,
)
from penstock.datastream.data_stream import IterativeStream
from penstock.datastream.state import ValueStateDescriptor
from penstock.errors import JobFailed, ProgramError
from penstock.testing import CollectingSink, ManualJob, Pause, ScriptedSource

WAIT_MS = 300


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def rows(stream: Any) -> list[Any]:
    with stream.execute_and_collect() as results:
        return sorted(results)


@pytest.mark.parametrize("chaining", [True, False])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_records_go_round_until_they_leave_the_loop(parallelism: int, chaining: bool) -> None:
    env = environment(parallelism)
    if not chaining:
        env.disable_operator_chaining()
    loop = env.from_sequence(1, 200).map(lambda x: (x, 0)).iterate(WAIT_MS)
    stepped = loop.map(lambda pair: (pair[0], pair[1] + 1))
    loop.close_with(stepped.filter(lambda pair: pair[1] < pair[0]))
    assert rows(stepped.filter(lambda pair: pair[1] >= pair[0])) == [(x, x) for x in range(1, 201)]


def test_feedback_by_key_finds_the_state_of_its_key() -> None:
    class CountDown(KeyedProcessFunction):
        def open(self, runtime_context: Any) -> None:
            self.turns = runtime_context.get_state(ValueStateDescriptor("turns", Types.LONG()))

        def process_element(self, value: int, ctx: Any) -> Any:
            turns = (self.turns.value() or 0) + 1
            self.turns.update(turns)
            yield value, turns

    env = environment(2)
    loop = env.from_collection(list(range(20))).iterate(WAIT_MS)
    counted = loop.key_by(lambda x: x).process(CountDown())
    loop.close_with(counted.filter(lambda pair: pair[1] < 5).map(lambda pair: pair[0]))
    assert rows(counted.filter(lambda pair: pair[1] == 5)) == [(x, 5) for x in range(20)]


def test_a_loop_may_be_closed_with_several_streams() -> None:
    loop = environment().from_collection([0]).iterate(WAIT_MS)
    grown = loop.map(lambda x: x + 1)
    loop.close_with(grown.filter(lambda x: x < 3))
    loop.close_with(grown.filter(lambda x: x == 3).map(lambda x: x + 10))
    assert rows(grown) == [1, 2, 3, 14]


def test_records_of_another_type_come_back_as_a_second_stream() -> None:
    loop = environment().from_collection([3, 1]).iterate(WAIT_MS).with_feedback_type(Types.STRING())
    marked = loop.map(lambda number: "n" * number, lambda text: text[1:] or None)
    assert loop.close_with(marked) is marked
    assert rows(marked) == ["n", "n", "nn", "nnn"]


def test_the_wait_begins_when_the_input_has_ended_and_anew_with_each_record_that_comes_back() -> None:
    env = environment()
    sink = CollectingSink()
    script = [1, Pause(10_000), 2]
    loop = env.from_source(ScriptedSource(script), WatermarkStrategy.no_watermarks(), "script").iterate(500)
    loop.sink_to(sink)
    loop.close_with(loop.filter(lambda x: x < 100).map(lambda x: x + 100))
    job = ManualJob(env)
    job.run_until_idle()
    job.advance(9_999)
    assert not job.is_done
    job.advance(1)
    assert not job.is_done
    job.advance(499)
    assert not job.is_done
    job.advance(1)
    assert job.is_done
    assert sorted(sink.records) == [1, 2, 101, 102]


def test_a_record_that_comes_back_too_late_is_an_error_and_not_lost() -> None:
    import asyncio

    from penstock.datastream import AsyncDataStream

    async def slowly(value: int) -> list[int]:
        await asyncio.sleep(0.3)
        return [value]

    env = environment()
    loop = env.from_collection([7]).iterate(1)
    loop.close_with(AsyncDataStream.ordered_wait(loop, slowly, 10_000))
    with pytest.raises(
        JobFailed, match=r"1 records came back to an iteration that was over, first 7.*longer time"
    ):
        env.execute()


def test_a_stream_that_an_earlier_job_looped_can_be_read_again() -> None:
    loop = environment().from_collection([0]).iterate(WAIT_MS)
    grown = loop.map(lambda x: x + 1)
    loop.close_with(grown.filter(lambda x: x < 3))
    assert rows(grown) == [1, 2, 3]
    assert rows(grown.map(lambda x: -x)) == [-3, -2, -1]


def test_the_tail_runs_where_the_head_runs() -> None:
    env = environment(2)
    loop = env.from_collection([1]).iterate(WAIT_MS)
    loop.close_with(loop.filter(lambda x: x < 0).set_parallelism(1))
    loop.set_parallelism(1)
    nodes = {node.name: node.parallelism for node in env.get_stream_graph().nodes}
    assert nodes["Iteration Sink"] == nodes["Iteration Source"] == 1


def test_a_loop_is_streaming_where_the_mode_is_automatic() -> None:
    env = environment().set_runtime_mode(RuntimeExecutionMode.AUTOMATIC)
    loop = env.from_collection([0]).iterate(WAIT_MS)
    loop.close_with(loop.filter(lambda x: x < 2).map(lambda x: x + 1))
    assert rows(loop) == [0, 1, 2]


def closed(env: StreamExecutionEnvironment) -> IterativeStream:
    loop = env.from_collection([1]).iterate(WAIT_MS)
    loop.close_with(loop.filter(lambda x: False))
    return loop


def in_batch_mode(env: StreamExecutionEnvironment) -> Any:
    closed(env.set_runtime_mode(RuntimeExecutionMode.BATCH)).print()
    return env.execute()


def not_closed(env: StreamExecutionEnvironment) -> Any:
    env.from_collection([1]).iterate(WAIT_MS).print()
    return env.execute()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda env: env.from_collection([1]).iterate(-1), "max_wait_time_millis is an integer"),
        (lambda env: env.from_collection([1]).iterate(1.5), "max_wait_time_millis is an integer"),
        (lambda env: closed(env).close_with("feedback"), "close_with takes a DataStream"),
        (lambda env: closed(env).close_with(environment().from_collection([1])), "of the same environment"),
        (
            lambda env: closed(env).close_with(env.from_collection([1])),
            "feedback DataStream that does not originate from said iteration",
        ),
        (lambda env: closed(env).with_feedback_type(Types.INT()), "comes before everything else"),
        (in_batch_mode, "Iterations are not supported in BATCH execution mode"),
        (not_closed, "does not have any feedback edges"),
    ],
)
def test_what_cannot_work_is_refused_at_the_users_line(
    use: Callable[[StreamExecutionEnvironment], Any], message: str
) -> None:
    with pytest.raises(ProgramError, match=rf"{message}.*test_iterative\.py|{message}.*close_with"):
        use(environment())


def test_an_error_in_the_body_ends_the_loop() -> None:
    class Failing(MapFunction):
        def map(self, value: int) -> int:
            raise ValueError("in the body")

    env = environment()
    loop = env.from_collection([1]).iterate()
    loop.close_with(loop.map(Failing()))
    with pytest.raises(JobFailed, match="in the body"):
        env.execute()
