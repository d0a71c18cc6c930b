"""Where the plan has records copied."""

from collections.abc import Callable
from typing import Any

from penstock.common import Duration, Time, WatermarkStrategy
from penstock.connectors.discard.sink import DiscardingSink
from penstock.contracts.effects import Effect
from penstock.contracts.sink import Sink, SinkWriter, WriterInitContext
from penstock.contracts.watermarks import TimestampAssigner
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.window import TumblingEventTimeWindows
from penstock.plan.compile import compile_graph

Planned = dict[str, tuple[Effect, bool]]


def mark(row: Any) -> Any:
    row["seen"] = True
    return row


class Unknown(Sink):
    """A sink of the user's."""

    def create_writer(self, context: WriterInitContext) -> SinkWriter:
        raise NotImplementedError


def planned(write: Callable[[StreamExecutionEnvironment], Any]) -> Planned:
    """Of each operator what it does to records, and whether those behind it change them."""
    env = StreamExecutionEnvironment.get_execution_environment()
    write(env)
    graph = compile_graph(env.get_stream_graph())
    return {
        each.name: (each.effect, each.is_changed_behind)
        for vertex in graph.vertices
        for each in vertex.operators
    }


def copies_nothing(operators: Planned) -> bool:
    return all(effect is not Effect.CHANGES and not changed for effect, changed in operators.values())


def test_a_word_count_copies_nothing() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        words = (
            env.read_text_file("words.txt").flat_map(lambda line: line.split()).map(lambda word: (word, 1))
        )
        words.key_by(lambda pair: pair[0]).sum(1).sink_to(DiscardingSink())

    assert copies_nothing(planned(write))


def test_steps_over_numbers_copy_nothing() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        numbers = env.from_sequence(0, 9).map(lambda x: 3 * x + 1).filter(lambda x: x % 2 == 0)
        numbers.map(lambda y: y // 2 + 7).sink_to(DiscardingSink())

    assert copies_nothing(planned(write))


def test_windows_and_a_reduce_that_makes_tuples_copy_nothing() -> None:
    class Second(TimestampAssigner):
        def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
            return int(value[1])

    def write(env: StreamExecutionEnvironment) -> None:
        strategy = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_millis(5))
        rows = env.from_collection([("a", 1, 2)]).assign_timestamps_and_watermarks(
            strategy.with_timestamp_assigner(Second())
        )
        windows = rows.key_by(lambda row: row[0]).window(TumblingEventTimeWindows.of(Time.seconds(1)))
        windows.reduce(lambda a, b: (a[0], a[1], a[2] + b[2])).sink_to(DiscardingSink())

    assert copies_nothing(planned(write))


def test_a_function_that_changes_records_is_known_to_all_before_it() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        sums = env.from_sequence(0, 9).map(lambda n: (0, n)).key_by(lambda pair: pair[0]).sum(1).name("sums")
        sums.map(lambda pair: {"n": pair[1]}).name("dicts").disable_chaining().map(mark).name("mark").sink_to(
            DiscardingSink()
        )

    operators = planned(write)
    assert operators["sums"] == (Effect.SHARES, True)
    assert operators["dicts"] == (Effect.NONE, True)
    assert operators["mark"] == (Effect.CHANGES, False)


def test_a_reader_beside_it_does_not_change_what_others_get() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        sums = env.from_sequence(0, 9).key_by(lambda n: n).sum(0).name("sums")
        before = env.from_sequence(0, 9).name("other")
        before.sink_to(DiscardingSink()).name("quiet")
        sums.map(mark).name("mark").sink_to(DiscardingSink()).name("end")

    operators = planned(write)
    assert operators["sums"] == (Effect.SHARES, True)
    assert operators["Source: other"] == (Effect.NONE, False)


def test_sinks_of_the_user_and_rows_for_the_program_may_be_changed() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        env.from_sequence(0, 9).name("a").sink_to(Unknown())
        env.from_sequence(0, 9).name("b").print()

    operators = planned(write)
    assert operators["Source: a"] == (Effect.NONE, True)
    assert operators["Source: b"] == (Effect.NONE, False)


def test_a_loop_may_change_what_goes_round() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        loop = env.from_sequence(0, 9).key_by(lambda n: n).sum(0).name("sums").iterate(10)
        body = loop.map(lambda n: n - 1)
        loop.close_with(body.filter(lambda n: n > 0))
        body.sink_to(DiscardingSink())

    assert planned(write)["sums"] == (Effect.SHARES, True)


def test_with_object_reuse_readers_are_not_kept_apart() -> None:
    def write(env: StreamExecutionEnvironment) -> None:
        env.get_config().enable_object_reuse()
        sums = env.from_collection([(0, [])]).key_by(lambda row: row[0]).min(0).name("sums")
        sums.map(mark).name("mark").sink_to(Unknown())

    operators = planned(write)
    assert operators["sums"] == (Effect.SHARES, False)
    assert operators["mark"] == (Effect.CHANGES, False)
