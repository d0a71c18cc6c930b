"""Graphs as data: who reads whom, which channels there are, and how they look as text."""

import json
import pickle
from dataclasses import FrozenInstanceError, replace
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.collection.source import NumberSequenceSource
from penstock.connectors.discard.sink import DiscardingSink
from penstock.contracts.partitioning import (
    Broadcast,
    Forward,
    Global,
    Hash,
    Partitioning,
    Rebalance,
    Rescale,
    Shuffle,
)
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.dataflow.explain import plan_dot, plan_json, plan_text
from penstock.dataflow.job import JobEdge, JobGraph, JobVertex, receivers_of
from penstock.dataflow.logical import LogicalEdge, LogicalGraph, LogicalNode
from penstock.dataflow.submission import JobExecutionResult, JobStatus, find_executor
from penstock.deploy.local.executor import LocalExecutor
from penstock.errors import ProgramError
from penstock.ids import JobID, VertexId
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.sink import SinkSpec
from penstock.operators.source import SourceSpec

SOURCE = SourceSpec(NumberSequenceSource(1, 3), WatermarkStrategy.no_watermarks())
MAP = RowChainSpec((RowStep("map", str, "Map"),))

GRAPH = LogicalGraph(
    (
        LogicalNode(1, "Source", SOURCE, parallelism=1),
        LogicalNode(
            2, "Map", MAP, (LogicalEdge(1, Rebalance()),), parallelism=2, description="the long story"
        ),
        LogicalNode(3, "Late", MAP, (LogicalEdge(2, Forward(), 0, "late"),), parallelism=2),
        LogicalNode(
            4,
            'A "Sink"',
            SinkSpec(DiscardingSink()),
            (LogicalEdge(2), LogicalEdge(3, None, 1)),
            parallelism=2,
        ),
    ),
    "job",
)

SPREADING: list[Partitioning] = [Hash(str), Rebalance(), Shuffle(), Broadcast(), Global()]


def two_vertices(partitioning: Partitioning, senders: int, receivers: int) -> JobGraph:
    vertices = tuple(
        JobVertex(VertexId(i), f"v{i}", (), parallelism, 128, "default", 100)
        for i, parallelism in enumerate((senders, receivers))
    )
    edge = JobEdge(0, VertexId(0), 0, None, VertexId(1), 0, partitioning, False)
    return JobGraph("job", vertices, (edge,), False)


def test_a_graph_knows_the_readers_of_each_node() -> None:
    assert {node: [reader.id for reader, _ in readers] for node, readers in GRAPH.consumers().items()} == {
        1: [2],
        2: [3, 4],
        3: [4],
        4: [],
    }


def test_a_node_is_found_by_its_id_or_not_at_all() -> None:
    assert GRAPH.node(2).name == "Map"
    with pytest.raises(KeyError):
        GRAPH.node(9)


def test_graphs_cannot_be_changed_and_travel() -> None:
    with pytest.raises(FrozenInstanceError):
        GRAPH.node(1).name = "other"  # type: ignore[misc]
    graph = two_vertices(Rescale(), 2, 4)
    assert pickle.loads(pickle.dumps(graph)) == graph


@given(st.sampled_from(SPREADING), st.integers(1, 5), st.integers(1, 5))
def test_what_spreads_records_reaches_every_receiver_from_every_sender(
    partitioning: Partitioning, senders: int, receivers: int
) -> None:
    links = two_vertices(partitioning, senders, receivers).links()
    assert [(link.sender, link.receiver) for link in links] == [
        (sender, receiver) for sender in range(senders) for receiver in range(receivers)
    ]
    assert [link.id for link in links] == list(range(len(links)))


@given(st.integers(1, 6))
def test_forward_links_equal_numbers(parallelism: int) -> None:
    links = two_vertices(Forward(), parallelism, parallelism).links()
    assert [(link.sender, link.receiver) for link in links] == [(i, i) for i in range(parallelism)]


@given(st.integers(1, 12), st.integers(1, 12))
def test_rescale_reaches_every_receiver_and_every_sender_has_one_with_even_shares(
    senders: int, receivers: int
) -> None:
    reached = [receivers_of(Rescale(), sender, senders, receivers) for sender in range(senders)]
    assert all(reached)
    assert {receiver for own in reached for receiver in own} == set(range(receivers))
    counts = [sum(receiver in own for own in reached) for receiver in range(receivers)]
    assert max(counts) - min(counts) <= 1
    assert max(map(len, reached)) - min(map(len, reached)) <= 1


def test_a_plan_as_text() -> None:
    assert (
        plan_text(GRAPH)
        == dedent(
            """
        1: Source (parallelism 1)
        2: Map (parallelism 2) <- 1 REBALANCE
        3: Late (parallelism 2) <- 2 FORWARD side late
        4: A "Sink" (parallelism 2) <- 2 FORWARD, 3 FORWARD
        """
        ).strip()
    )


def test_a_plan_as_text_tells_of_slot_sharing_groups_that_were_given() -> None:
    groups = ("default", "heavy", None)
    nodes = [
        replace(node, slot_sharing_group=group, inputs=())
        for node, group in zip(GRAPH.nodes, groups, strict=False)
    ]
    lines = plan_text(replace(GRAPH, nodes=tuple(nodes))).splitlines()
    assert lines == [
        "1: Source (parallelism 1)",
        "2: Map (parallelism 2, slot sharing group heavy)",
        "3: Late (parallelism 2)",
    ]


def test_a_plan_as_json_has_the_form_of_the_visualizer() -> None:
    nodes = json.loads(plan_json(GRAPH))["nodes"]
    assert [node["pact"] for node in nodes] == ["Data Source", "Operator", "Operator", "Data Sink"]
    assert nodes[1] == {
        "id": 2,
        "type": "Map",
        "pact": "Operator",
        "contents": "the long story",
        "parallelism": 2,
        "predecessors": [{"id": 1, "ship_strategy": "REBALANCE", "side": "second"}],
    }


def test_a_plan_for_graphviz_quotes_names() -> None:
    dot = plan_dot(GRAPH)
    assert dot.startswith('digraph "job" {')
    assert 'n4 [label="A \\"Sink\\" x2"];' in dot
    assert 'n2 -> n3 [label="FORWARD side late"];' in dot
    assert dot.endswith("}")


# Submission -------------------------------------------------------------------------------------------------------------


def test_the_end_of_a_job_for_good_is_told_from_an_end_here() -> None:
    final = {status for status in JobStatus if status.is_globally_terminal_state()}
    here = {status for status in JobStatus if status.is_terminal_state()}
    assert final == {JobStatus.FAILED, JobStatus.CANCELED, JobStatus.FINISHED}
    assert here - final == {JobStatus.SUSPENDED}


def test_an_executor_is_found_by_its_name() -> None:
    assert isinstance(find_executor("local"), LocalExecutor)
    with pytest.raises(ProgramError, match=r"no executor 'moon' \(execution.target\); known are: .*local"):
        find_executor("moon")


def test_a_result_gives_its_accumulators_by_name_and_tells_them_as_flink_does() -> None:
    result = JobExecutionResult(JobID("0" * 32), 12, {"seen": 3, "list": ["a", "b"]})
    assert result.get_accumulator_result("seen") == 3
    assert result.get_accumulator_result("found") is None
    finished = f"Program execution finished\nJob with JobID {'0' * 32} has finished.\nJob Runtime: 12 ms\n"
    assert str(result) == (
        f"{finished}Accumulator Results: \n- list (list) [2 elements]\n- seen (int): 3\n\n"
    )
    assert str(JobExecutionResult(JobID("0" * 32), 12, {})) == finished
