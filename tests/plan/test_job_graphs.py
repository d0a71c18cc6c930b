"""Whole programs to job graphs, compared as text: what is chained, what is fused, what crosses between tasks."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from penstock.contracts.functions import ProcessFunction
from penstock.contracts.output_tag import OutputTag
from penstock.dataflow.logical import RuntimeExecutionMode
from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import ProgramError
from penstock.plan.compile import compile_graph
from tests.plan.job_text import job_text

Env = StreamExecutionEnvironment
LATE = OutputTag("late")


def compiled(write: Callable[[Env], object]) -> str:
    env = StreamExecutionEnvironment.get_execution_environment()
    write(env)
    return job_text(compile_graph(env.get_stream_graph()))


def check(write: Callable[[Env], object], golden: str) -> None:
    assert compiled(write) == dedent(golden).strip()


class Keep(ProcessFunction):
    def process_element(self, value: int, ctx: ProcessFunction.Context) -> list[int]:
        return [value]


def word_count(env: Env) -> None:
    words = env.from_collection(["a b"]).flat_map(str.split).map(lambda word: (word, 1)).name("ones")
    words.filter(bool).key_by(0).sum(1).map(str).print()


def test_a_word_count_is_two_tasks_and_its_row_functions_are_fused() -> None:
    check(
        word_count,
        """
        STREAMING
        0: Source: Collection Source -> FlatMap -> ones -> Filter x1 [default]
           0 Source: Collection Source
           1 FlatMap -> ones -> Filter <- 0 fused 3
        1: Reduce -> Map -> Sink: Print to Std. Out x1 [default]
           0 Reduce
           1 Map <- 0 fused 1
           2 Sink: Print to Std. Out <- 1
        0.1 -> 1 port 0 HASH
        """,
    )


def test_in_batch_mode_exchanges_block() -> None:
    def write(env: Env) -> None:
        env.set_runtime_mode(RuntimeExecutionMode.BATCH)
        env.from_sequence(1, 3).key_by(lambda x: x).sum(0).print()

    assert compiled(write).startswith("BATCH\n")
    assert compiled(write).endswith("0.0 -> 1 port 0 HASH blocking")


def test_a_branch_is_a_tree_in_one_task_and_is_not_fused_across() -> None:
    def write(env: Env) -> None:
        start = env.from_sequence(1, 3).map(lambda x: x)
        start.map(lambda x: x).name("left").print()
        start.filter(bool).name("right").print()

    check(
        write,
        """
        STREAMING
        0: Source: Sequence Source -> Map -> (left -> Sink: Print to Std. Out, right -> Sink: Print to Std. Out) x1 [default]
           0 Source: Sequence Source
           1 Map <- 0 fused 1
           2 left <- 1 fused 1
           3 Sink: Print to Std. Out <- 2
           4 right <- 1 fused 1
           5 Sink: Print to Std. Out <- 4
        """,
    )


def test_another_parallelism_starts_a_task() -> None:
    def write(env: Env) -> None:
        env.set_parallelism(2)
        env.from_collection([1]).map(lambda x: x).print().set_parallelism(3)

    check(
        write,
        """
        STREAMING
        0: Source: Collection Source x1 [default]
           0 Source: Collection Source
        1: Map x2 [default]
           0 Map fused 1
        2: Sink: Print to Std. Out x3 [default]
           0 Sink: Print to Std. Out
        0.0 -> 1 port 0 REBALANCE
        1.0 -> 2 port 0 REBALANCE
        """,
    )


@pytest.mark.parametrize(
    ("refine", "tasks"),
    [
        (lambda stream: stream, 1),
        (lambda stream: stream.start_new_chain(), 2),
        (lambda stream: stream.disable_chaining(), 3),
        (lambda stream: stream.slot_sharing_group("other"), 2),
        (lambda stream: stream.rebalance(), 2),
        (lambda stream: stream.forward(), 1),
    ],
)
def test_users_can_cut_chains(refine: Callable[[object], object], tasks: int) -> None:
    def write(env: Env) -> None:
        refine(env.from_sequence(1, 3).map(lambda x: x)).print()  # type: ignore[attr-defined]

    lines = compiled(write).splitlines()
    assert sum(line[0].isdigit() and " port " not in line for line in lines) == tasks


def test_chaining_can_be_turned_off() -> None:
    def write(env: Env) -> None:
        env.disable_operator_chaining()
        env.from_sequence(1, 3).map(lambda x: x).map(lambda x: x).print()

    text = compiled(write)
    assert "fused 2" not in text
    assert text.count(" FORWARD") == 3


def test_a_side_output_is_read_in_the_same_task() -> None:
    def write(env: Env) -> None:
        main = env.from_sequence(1, 3).process(Keep())
        main.get_side_output(LATE).map(str).print()
        main.key_by(lambda x: x).sum(0).print()

    check(
        write,
        """
        STREAMING
        0: Source: Sequence Source -> PROCESS -> Map -> Sink: Print to Std. Out x1 [default]
           0 Source: Sequence Source
           1 PROCESS <- 0
           2 Map <- 1 side late fused 1
           3 Sink: Print to Std. Out <- 2
        1: Reduce -> Sink: Print to Std. Out x1 [default]
           0 Reduce
           1 Sink: Print to Std. Out <- 0
        0.1 -> 1 port 0 HASH
        """,
    )


def test_a_side_output_may_cross_to_another_task() -> None:
    def write(env: Env) -> None:
        env.from_sequence(1, 3).process(Keep()).get_side_output(LATE).rebalance().print()

    assert compiled(write).endswith("0.1 -> 1 port 0 REBALANCE side late")


def test_the_reader_of_a_union_has_an_edge_for_each_stream_and_starts_a_task() -> None:
    def write(env: Env) -> None:
        first, second = env.from_sequence(1, 3), env.from_sequence(4, 6)
        first.union(second, first).map(lambda x: x).print()

    check(
        write,
        """
        STREAMING
        0: Source: Sequence Source x1 [default]
           0 Source: Sequence Source
        1: Source: Sequence Source x1 [default]
           0 Source: Sequence Source
        2: Map -> Sink: Print to Std. Out x1 [default]
           0 Map fused 1
           1 Sink: Print to Std. Out <- 0
        0.0 -> 2 port 0 FORWARD
        1.0 -> 2 port 0 FORWARD
        0.0 -> 2 port 0 FORWARD
        """,
    )


def test_connected_streams_have_a_port_each() -> None:
    def write(env: Env) -> None:
        first, second = env.from_sequence(1, 3), env.from_sequence(4, 6)
        connected = first.key_by(lambda x: x).connect(second.key_by(lambda x: x))
        connected.map(type("Both", (CoMap,), {})()).print()

    from penstock.contracts.functions import CoMapFunction

    class CoMap(CoMapFunction):
        def map1(self, value: int) -> int:
            return value

        def map2(self, value: int) -> int:
            return value

    assert compiled(write).splitlines()[-2:] == ["0.0 -> 2 port 0 HASH", "1.0 -> 2 port 1 HASH"]


def test_key_selection_and_number_of_key_groups_cut_a_chain_where_that_is_asked_for() -> None:
    def write(env: Env) -> None:
        env.get_configuration().set_string(
            "pipeline.operator-chaining.chain-operators-with-different-max-parallelism", "false"
        )
        env.from_sequence(1, 3).map(lambda x: x).set_max_parallelism(4).print()

    assert len([line for line in compiled(write).splitlines() if " port " in line]) == 2


def test_buffer_timeouts_are_those_of_the_head_of_a_task() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_buffer_timeout(7)
    env.from_sequence(1, 3).map(lambda x: x).start_new_chain().set_buffer_timeout(0).print()
    graph = compile_graph(env.get_stream_graph())
    assert [vertex.buffer_timeout_ms for vertex in graph.vertices] == [7, 0]


def test_the_buffer_timeout_that_means_never_is_kept() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_buffer_timeout(-1)
    env.from_sequence(1, 3).print()
    assert compile_graph(env.get_stream_graph()).vertices[0].buffer_timeout_ms == -1


def test_a_very_long_chain_is_one_task() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_sequence(1, 3)
    for _ in range(400):
        stream = stream.map(lambda x: x + 1)
    stream.print()
    graph = compile_graph(env.get_stream_graph())
    assert len(graph.vertices) == 1
    assert len(graph.vertices[0].operators) == 3


def test_a_program_that_cannot_run_is_refused_when_it_is_compiled() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_sequence(1, 3).map(lambda x: x)
    with pytest.raises(ProgramError, match="no sink"):
        compile_graph(env.get_stream_graph())
