"""Cut the graph into vertices: operators that can run in one call are chained, runs of row functions are fused."""

from dataclasses import replace

from penstock.contracts.partitioning import Forward, Partitioning
from penstock.dataflow.job import ChainedOperator, JobEdge, JobGraph, JobVertex, WrittenOperator
from penstock.dataflow.logical import (
    ChainingStrategy,
    LogicalEdge,
    LogicalGraph,
    LogicalNode,
    RuntimeExecutionMode,
)
from penstock.ids import VertexId
from penstock.operators.checkpointed import takes_part
from penstock.operators.row_chain import RowChainSpec
from penstock.plan.passes.mode import RUNTIME_MODE

CHAINING = "pipeline.operator-chaining.enabled"
CHAIN_DIFFERENT_MAXIMA = "pipeline.operator-chaining.chain-operators-with-different-max-parallelism"
BUFFER_TIMEOUT = "execution.buffer-timeout.interval"
BUFFER_TIMEOUT_ENABLED = "execution.buffer-timeout.enabled"
# Chained operators call each other, a few frames each, and Python's stack has 1000: what is longer goes on in another vertex.
DEEPEST_CHAIN = 40
DEFAULT_BUFFER_TIMEOUT_MS = 100


def chain(graph: LogicalGraph) -> JobGraph:
    """The job graph of a settled logical graph."""
    cut = _Cut(graph)
    batch_mode = graph.settings.get(RUNTIME_MODE) == RuntimeExecutionMode.BATCH.value
    vertices = tuple(cut.vertex(head, VertexId(i)) for i, head in enumerate(cut.heads))
    edges = cut.job_edges(batch_mode)
    return JobGraph(graph.job_name, vertices, edges, batch_mode, graph.settings, graph.slot_resources)


class _Cut:
    """Which node is in which vertex, and where in it."""

    def __init__(self, graph: LogicalGraph) -> None:
        self._graph = graph
        self._nodes = {node.id: node for node in graph.nodes}
        self._readers = graph.consumers()
        self._head_of: dict[int, int] = {}
        self._depth: dict[int, int] = {}
        for node in graph.nodes:
            upstream = self._chained_to(node)
            self._head_of[node.id] = node.id if upstream is None else self._head_of[upstream.id]
            self._depth[node.id] = 1 if upstream is None else self._depth_behind(upstream, node)
        self.heads = [self._nodes[i] for i in dict.fromkeys(self._head_of.values())]
        self._vertex_of = {head.id: VertexId(i) for i, head in enumerate(self.heads)}
        self._place: dict[int, int] = {}
        self._metric_names = _unique_names(graph)

    def _chained_to(self, node: LogicalNode) -> LogicalNode | None:
        """The node whose call runs this one, None where the node starts a vertex."""
        if len(node.inputs) != 1 or self._graph.settings.get(CHAINING, "true").lower() != "true":
            return None
        edge = node.inputs[0]
        source = self._nodes[edge.source]
        fits = (
            isinstance(edge.partitioning, Forward)
            and source.parallelism == node.parallelism
            and source.slot_sharing_group == node.slot_sharing_group
            and node.chaining is ChainingStrategy.ALWAYS
            and source.chaining is not ChainingStrategy.NEVER
            and (source.max_parallelism == node.max_parallelism or self._maxima_may_differ())
            and self._depth_behind(source, node) <= DEEPEST_CHAIN
        )
        return source if fits else None

    def _depth_behind(self, source: LogicalNode, node: LogicalNode) -> int:
        """How many operators call each other from the head of the vertex to ``node``; fused ones are one."""
        return self._depth[source.id] + (not self._fuses(source, node))

    def _maxima_may_differ(self) -> bool:
        return self._graph.settings.get(CHAIN_DIFFERENT_MAXIMA, "true").lower() == "true"

    def vertex(self, head: LogicalNode, vertex_id: VertexId) -> JobVertex:
        """The vertex that starts with ``head``."""
        groups: list[list[LogicalNode]] = []
        self._collect(head, groups)
        operators = tuple(self._operator(group, groups) for group in groups)
        maximum = min(node.max_parallelism or 1 for group in groups for node in group)
        timeout = head.buffer_timeout_ms
        if timeout is None:
            timeout = _buffer_timeout_ms(self._graph.settings)
        return JobVertex(
            vertex_id,
            self._chain_name(head),
            operators,
            head.parallelism or 1,
            head.max_parallelism or maximum,
            head.slot_sharing_group or "default",
            timeout,
            all(node.follows_default for group in groups for node in group),
            head.max_is_open,
        )

    def _collect(self, node: LogicalNode, groups: list[list[LogicalNode]]) -> None:
        """Walk the chain depth first; a row function joins the group of the one before it where nothing lies between."""
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if groups and self._fuses(groups[-1][-1], node):
                groups[-1].append(node)
            else:
                groups.append([node])
            self._place[node.id] = len(groups) - 1
            waiting += [reader for reader, _ in reversed(self._chained_readers(node))]

    def _chained_readers(self, node: LogicalNode) -> list[tuple[LogicalNode, LogicalEdge]]:
        return [
            (reader, edge)
            for reader, edge in self._readers[node.id]
            if self._head_of[reader.id] == self._head_of[node.id] and reader.id != self._head_of[node.id]
        ]

    def _fuses(self, first: LogicalNode, second: LogicalNode) -> bool:
        readers = self._readers[first.id]
        return (
            isinstance(first.spec, RowChainSpec)
            and isinstance(second.spec, RowChainSpec)
            and first.max_parallelism == second.max_parallelism
            and not _keeps_state(first)  # two functions of one operator would share its state
            and not _keeps_state(second)
            and len(readers) == 1
            and readers[0][0].id == second.id
            and readers[0][1].side_tag is None
        )

    def _operator(self, group: list[LogicalNode], groups: list[list[LogicalNode]]) -> ChainedOperator:
        first = group[0]
        is_head = groups[0] is group
        edge = None if is_head else first.inputs[0]
        spec = first.spec
        if isinstance(spec, RowChainSpec):
            spec = RowChainSpec(
                tuple(
                    replace(
                        step,
                        name=node.name,
                        origin=node.origin,
                        operator_id=node.uid_hash or "",
                        metric_name=self._metric_names[node.id],
                    )
                    for node in group
                    if isinstance(node.spec, RowChainSpec)
                    for step in node.spec.steps
                )
            )
        return ChainedOperator(
            id=first.uid_hash or "",
            name=" -> ".join(node.name for node in group),
            metric_name=" -> ".join(self._metric_names[node.id] for node in group),
            spec=spec,
            input_index=None if edge is None else self._place[edge.source],
            side_tag=None if edge is None else edge.side_tag,
            origin=first.origin,
            node_ids=tuple(node.id for node in group),
            fused=() if len(group) == 1 else tuple(self._written(node) for node in group),
        )

    def _written(self, node: LogicalNode) -> WrittenOperator:
        return WrittenOperator(node.uid_hash or "", node.name, self._metric_names[node.id])

    def _chain_name(self, head: LogicalNode) -> str:
        """``A -> B``, ``A -> (B, C)``: the names of a vertex's operators."""
        chained = [head]
        for node in chained:
            chained += [reader for reader, _ in self._chained_readers(node)]
        names: dict[int, str] = {}
        for node in reversed(chained):
            behind = [names[reader.id] for reader, _ in self._chained_readers(node)]
            tail = behind[0] if len(behind) == 1 else f"({', '.join(behind)})"
            names[node.id] = f"{node.name} -> {tail}" if behind else node.name
        return names[head.id]

    def job_edges(self, batch_mode: bool) -> tuple[JobEdge, ...]:
        """All edges that cross from one vertex to another."""
        edges: list[JobEdge] = []
        for node, edge in self._graph.edges():
            if node.id != self._head_of[node.id]:
                continue
            partitioning: Partitioning = edge.partitioning or Forward()
            edges.append(
                JobEdge(
                    index=len(edges),
                    source=self._vertex_of[self._head_of[edge.source]],
                    operator_index=self._place[edge.source],
                    side_tag=edge.side_tag,
                    target=self._vertex_of[node.id],
                    port=edge.port,
                    partitioning=partitioning,
                    blocking=batch_mode,
                )
            )
        return tuple(edges)


def _keeps_state(node: LogicalNode) -> bool:
    return any(map(takes_part, node.spec.user_functions()))


def _unique_names(graph: LogicalGraph) -> dict[int, str]:
    """For metrics: the name of each node, with a number behind the second and further ones of the same name."""
    seen: dict[str, int] = {}
    names: dict[int, str] = {}
    for node in graph.nodes:
        seen[node.name] = seen.get(node.name, 0) + 1
        names[node.id] = node.name if seen[node.name] == 1 else f"{node.name} #{seen[node.name]}"
    return names


def _buffer_timeout_ms(settings: dict[str, str]) -> int:
    """The timeout of operators that have none of their own; -1 for no timeout."""
    if settings.get(BUFFER_TIMEOUT_ENABLED, "true").lower() != "true":
        return -1
    text = settings.get(BUFFER_TIMEOUT)
    if text is None:
        return DEFAULT_BUFFER_TIMEOUT_MS
    from penstock.data.time import Duration

    return Duration.of(text).to_millis()
