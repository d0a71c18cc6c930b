"""Pipelined regions: which subtasks start again together."""

from penstock.contracts.partitioning import Broadcast, Forward, Hash, Partitioning, Rebalance, Rescale
from penstock.dataflow.job import JobEdge, JobGraph
from penstock.dataflow.regions import Regions
from penstock.ids import SubtaskId, VertexId
from tests.runtime.graphs import line_of


def graph(parallelisms: tuple[int, ...], *edges: tuple[int, int, Partitioning, bool]) -> JobGraph:
    """Vertices of these parallelisms, and edges between them: source, target, partitioning, blocking."""
    vertices = line_of(*parallelisms).vertices
    made = tuple(
        JobEdge(i, VertexId(source), 0, None, VertexId(target), 0, partitioning, blocking)
        for i, (source, target, partitioning, blocking) in enumerate(edges)
    )
    return JobGraph("regions", vertices, made, any(edge.blocking for edge in made))


def regions_of(made: JobGraph) -> set[frozenset[str]]:
    regions = Regions(made)
    found = {frozenset(map(str, regions.of(subtask))) for subtask in regions.all}
    assert len(found) == regions.count
    return found


def subtask(vertex: int, index: int) -> SubtaskId:
    return SubtaskId(VertexId(vertex), index)


def test_what_exchanges_each_with_each_is_one_region() -> None:
    for partitioning in (Rebalance(), Hash(len), Broadcast()):
        assert len(regions_of(graph((2, 3), (0, 1, partitioning, False)))) == 1


def test_forward_edges_leave_a_region_for_each_subtask() -> None:
    assert regions_of(graph((2, 2), (0, 1, Forward(), False))) == {
        frozenset({"0[0]", "1[0]"}),
        frozenset({"0[1]", "1[1]"}),
    }


def test_rescaling_joins_those_that_share_a_receiver() -> None:
    assert regions_of(graph((4, 2), (0, 1, Rescale(), False))) == {
        frozenset({"0[0]", "0[1]", "1[0]"}),
        frozenset({"0[2]", "0[3]", "1[1]"}),
    }


def test_pipelines_that_share_nothing_are_regions_of_their_own() -> None:
    made = graph((2, 2, 1, 2), (0, 1, Rebalance(), False), (2, 3, Rebalance(), False))
    assert regions_of(made) == {
        frozenset({"0[0]", "0[1]", "1[0]", "1[1]"}),
        frozenset({"2[0]", "3[0]", "3[1]"}),
    }


def test_blocking_edges_cut_and_what_reads_a_region_starts_again_with_it() -> None:
    made = graph((2, 2, 1), (0, 1, Hash(len), True), (1, 2, Rebalance(), True))
    regions = Regions(made)
    assert regions.count == 5
    assert regions.to_restart([subtask(2, 0)]) == {subtask(2, 0)}
    assert regions.to_restart([subtask(1, 1)]) == {subtask(1, 1), subtask(2, 0)}
    assert regions.to_restart([subtask(0, 0)]) == regions.all - {subtask(0, 1)}
