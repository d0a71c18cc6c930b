"""LogicalGraph: what was written, as frozen data. Building one runs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from penstock.contracts.partitioning import Partitioning
from penstock.dataflow.slot_resources import SlotResources
from penstock.operators.contract import OperatorSpec, Origin

DEFAULT_SLOT_SHARING_GROUP = "default"


class ChainingStrategy(Enum):
    """Whether an operator may run in one call with the one before it."""

    ALWAYS = "always"
    HEAD = "head"
    NEVER = "never"


class RuntimeExecutionMode(Enum):
    """How a job runs: record by record as they come, or stage after stage on bounded input."""

    STREAMING = "STREAMING"
    BATCH = "BATCH"
    AUTOMATIC = "AUTOMATIC"


@dataclass(frozen=True, slots=True)
class LogicalEdge:
    """One input of a node: where it comes from, on which port, and how records are spread."""

    source: int
    partitioning: Partitioning | None = None
    port: int = 0
    side_tag: str | None = None


@dataclass(frozen=True, slots=True)
class LogicalNode:
    """One operator as it was written. ``None`` means that the user did not say; ``follows_default`` keeps that in mind of its
    parallelism once it is settled, and ``max_is_open`` of its maximum parallelism."""

    id: int
    name: str
    spec: OperatorSpec
    inputs: tuple[LogicalEdge, ...] = ()
    parallelism: int | None = None
    max_parallelism: int | None = None
    uid: str | None = None
    uid_hash: str | None = None
    description: str | None = None
    slot_sharing_group: str | None = None
    chaining: ChainingStrategy = ChainingStrategy.ALWAYS
    buffer_timeout_ms: int | None = None
    fixed_parallelism: bool = False
    follows_default: bool = False
    max_is_open: bool = False
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LogicalGraph:
    """All nodes in the order in which they were written; inputs come before the nodes that read them."""

    nodes: tuple[LogicalNode, ...]
    job_name: str = "Flink Streaming Job"
    settings: dict[str, str] = field(default_factory=dict)
    slot_resources: dict[str, SlotResources] = field(default_factory=dict)

    def node(self, node_id: int) -> LogicalNode:
        """The node with this id."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)

    def consumers(self) -> dict[int, list[tuple[LogicalNode, LogicalEdge]]]:
        """Who reads each node."""
        found: dict[int, list[tuple[LogicalNode, LogicalEdge]]] = {node.id: [] for node in self.nodes}
        for node, edge in self.edges():
            found[edge.source].append((node, edge))
        return found

    def edges(self) -> Iterator[tuple[LogicalNode, LogicalEdge]]:
        """Every edge with the node that reads it."""
        for node in self.nodes:
            for edge in node.inputs:
                yield node, edge
