"""Which worker runs which subtask."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from penstock.dataflow.job import JobGraph
from penstock.ids import SubtaskId
from penstock.runtime.placement import Placement, placed_by_group, placed_together
from tests.runtime.graphs import line_of

WIDTHS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from("abc")), min_size=1, max_size=6)


def grouped(widths: list[tuple[int, str]]) -> JobGraph:
    """A line whose vertices have these parallelisms and slot sharing groups."""
    graph = line_of(*(parallelism for parallelism, _ in widths))
    vertices = zip(graph.vertices, widths, strict=True)
    return replace(graph, vertices=tuple(replace(v, slot_sharing_group=group) for v, (_, group) in vertices))


def workers_by_group(graph: JobGraph, placement: Placement) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for vertex in graph.vertices:
        own = found.setdefault(vertex.slot_sharing_group, set())
        own.update(placement.worker_of(subtask) for subtask in vertex.subtasks())
    return found


@given(WIDTHS)
def test_on_one_machine_each_worker_has_one_slot_of_every_group(widths: list[tuple[int, str]]) -> None:
    graph = grouped(widths)
    placement = placed_together(graph)
    assert placement.workers == max(parallelism for parallelism, _ in widths)
    for vertex in graph.vertices:
        assert [placement.worker_of(subtask) for subtask in vertex.subtasks()] == list(
            range(vertex.parallelism)
        )


@given(WIDTHS)
def test_on_a_cluster_each_group_has_as_many_workers_as_its_widest_vertex_has_subtasks(
    widths: list[tuple[int, str]],
) -> None:
    graph = grouped(widths)
    placement = placed_by_group(graph)
    found = workers_by_group(graph, placement)
    for group, workers in found.items():
        assert len(workers) == max(parallelism for parallelism, own in widths if own == group)
    together = [worker for workers in found.values() for worker in workers]
    assert sorted(together) == list(range(placement.workers)), "no slot has two groups, and none is empty"


@given(WIDTHS, st.integers(0, 5))
def test_equal_subtasks_of_one_group_share_a_worker(widths: list[tuple[int, str]], index: int) -> None:
    graph = grouped(widths)
    placement = placed_by_group(graph)
    for group in {vertex.slot_sharing_group for vertex in graph.vertices}:
        wide = [v for v in graph.vertices if v.slot_sharing_group == group and index < v.parallelism]
        assert len({placement.worker_of(SubtaskId(vertex.id, index)) for vertex in wide}) <= 1


def test_a_job_without_groups_is_placed_alike_on_a_machine_and_on_a_cluster() -> None:
    graph = line_of(1, 4, 2)
    here, there = placed_together(graph), placed_by_group(graph)
    assert here.workers == there.workers == 4
    for vertex in graph.vertices:
        for subtask in vertex.subtasks():
            assert here.worker_of(subtask) == there.worker_of(subtask)
