"""How many slots a job needs, and how wide it can be in so many."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.dataflow.rescaling import rescaled
from penstock.dataflow.slots_wanted import (
    parallelism_within,
    slots_at,
    slots_by_group,
    slots_wanted,
    told_slots,
)
from penstock.deploy.cluster.reactive import wanted_parallelism
from penstock.ids import VertexId
from penstock.operators.contract import OperatorSpec

MOST = 8
VERTICES = st.lists(
    st.tuples(st.integers(1, 5), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=5
)


def graph_of(vertices: list[tuple[int, bool, str]]) -> JobGraph:
    """Vertices of a parallelism, which some leave open, in a group."""
    made = (
        JobVertex(
            VertexId(i),
            f"v{i}",
            (ChainedOperator(f"{i:032}", f"v{i}", OperatorSpec()),),
            3 if is_open else own,
            MOST,
            group,
            100,
            follows_default=is_open,
        )
        for i, (own, is_open, group) in enumerate(vertices)
    )
    return JobGraph("grouped", tuple(made), (), False)


def test_each_group_needs_as_many_slots_as_its_largest_parallelism_and_the_job_their_sum() -> None:
    graph = graph_of([(1, False, "default"), (4, False, "heavy"), (2, False, "default"), (3, False, "heavy")])
    assert slots_by_group(graph) == {"default": 2, "heavy": 4}
    assert slots_wanted(graph) == 6
    assert (
        told_slots(graph) == "6 slots (2 for slot sharing group 'default', 4 for slot sharing group 'heavy')"
    )
    assert told_slots(graph_of([(2, False, "default")])) == "2 slots"


@given(VERTICES, st.integers(1, MOST))
def test_slots_at_a_parallelism_are_those_of_the_rescaled_job(
    vertices: list[tuple[int, bool, str]], parallelism: int
) -> None:
    graph = graph_of(vertices)
    if any(is_open for _, is_open, _ in vertices):
        assert slots_at(graph, parallelism) == slots_wanted(rescaled(graph, parallelism))


@given(VERTICES, st.integers(0, 40))
def test_a_job_is_as_wide_as_its_slots_allow(vertices: list[tuple[int, bool, str]], slots: int) -> None:
    graph = graph_of(vertices)
    if any(is_open for _, is_open, _ in vertices):
        fitting = [p for p in range(1, MOST + 1) if slots_wanted(rescaled(graph, p)) <= slots]
        assert parallelism_within(graph, slots) == max(fitting, default=0)
        assert wanted_parallelism(graph, slots, 1) == max(fitting, default=1)
        assert wanted_parallelism(graph, 2 * slots + 1, 2) == max(fitting, default=1)
