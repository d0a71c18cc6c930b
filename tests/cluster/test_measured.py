"""What is measured of the subtasks of a job, however many there are."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.datastream import StreamExecutionEnvironment
from penstock.metrics.readings import flat
from penstock.plan.compile import compile_graph
from penstock.runtime.task_values import Measured


class Looked(dict[str, Any]):
    """Metrics that know how often somebody has looked through them."""

    times = 0

    def items(self) -> Any:
        self.times += 1
        return super().items()


NAMES = ["a", "a.0", "b", "0"]


def graph() -> Any:
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(3)
    stream = env.from_sequence(1, 2)
    for name in NAMES:
        stream = stream.map(str).name(name)
    stream.print()
    return compile_graph(env.get_stream_graph())


GRAPH = graph()


@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "0", "1", "2", "x"]), min_size=1, max_size=5).map(".".join),
        st.integers() | st.fixed_dictionaries({"count": st.integers(), "max": st.integers()}),
    )
)
def test_each_operator_has_what_begins_with_its_name_and_subtask(metrics: dict[str, Any]) -> None:
    looked = Looked(metrics)
    measured = Measured(looked, GRAPH)
    for vertex in GRAPH.vertices:
        for operator in vertex.operators:
            for subtask in range(vertex.parallelism):
                prefix = f"{operator.metric_name or operator.name}.{subtask}."
                expected: dict[str, Any] = {}
                for name, value in metrics.items():
                    if name.startswith(prefix):
                        expected.update(flat(name[len(prefix) :], value))
                assert measured.of_operator(operator, subtask) == expected
    assert looked.times == 1
