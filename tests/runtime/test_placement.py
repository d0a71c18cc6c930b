"""Which worker runs which subtask."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.ids import SubtaskId, VertexId
from penstock.runtime.scheduling.placement import worker_of, workers_wanted
from tests.runtime.graphs import line_of


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_there_are_as_many_workers_as_the_widest_vertex_has_subtasks(parallelisms: list[int]) -> None:
    assert workers_wanted(line_of(*parallelisms)) == max(parallelisms)


@given(st.integers(0, 30), st.integers(1, 8))
def test_equal_subtasks_of_all_vertices_share_a_worker(index: int, workers: int) -> None:
    places = {worker_of(SubtaskId(VertexId(vertex), index), workers) for vertex in range(5)}
    assert len(places) == 1
    assert places.pop() in range(workers)
