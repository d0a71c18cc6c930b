"""Graphs made by hand."""

from penstock.connectors.collection.source import NumberSequenceSource
from penstock.contracts.partitioning import Rebalance
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.dataflow.job import ChainedOperator, JobEdge, JobGraph, JobVertex
from penstock.ids import JobID, VertexId
from penstock.operators.contract import OperatorSpec
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.operators.source import SourceSpec
from penstock.runtime.messages import Deployment
from penstock.runtime.placement import placed_together

JOB = JobID("0" * 32)


def line_of(*parallelisms: int, source: SourceSpec | None = None) -> JobGraph:
    """A source and row functions behind it, a vertex each."""
    head = source or SourceSpec(NumberSequenceSource(1, 10), WatermarkStrategy.no_watermarks())
    step = RowChainSpec((RowStep("map", lambda x: x, "step"),))
    vertices = tuple(vertex(index, head if index == 0 else step, p) for index, p in enumerate(parallelisms))
    edges = tuple(
        JobEdge(i, VertexId(i), 0, None, VertexId(i + 1), 0, Rebalance(), False)
        for i in range(len(vertices) - 1)
    )
    return JobGraph("a line", vertices, edges, False)


def vertex(index: int, spec: OperatorSpec, parallelism: int = 1) -> JobVertex:
    """A vertex of one operator."""
    operator = ChainedOperator(f"{index:032}", f"operator {index}", spec)
    return JobVertex(VertexId(index), f"operator {index}", (operator,), parallelism, 128, "default", 100)


def deployment_of(graph: JobGraph) -> Deployment:
    """A deployment with as many workers as the graph is wide."""
    return Deployment(JOB, 0, graph, placed_together(graph))
