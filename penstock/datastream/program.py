"""The program while it is being written: nodes are added and refined, and become a LogicalGraph."""

from dataclasses import replace
from typing import Any, Protocol

from penstock.dataflow.logical import LogicalEdge, LogicalGraph, LogicalNode
from penstock.dataflow.submission import RunningJob
from penstock.errors import ProgramError
from penstock.operators.cache_rows import CacheRowsSpec
from penstock.operators.contract import OperatorSpec
from penstock.operators.user_code import origin_of_caller


class Program:
    """Nodes in the order in which they were written. Nodes are frozen: refining one puts another in its place.

    A job takes what was written since the last one, with everything that it reads: as in Flink, streams that an earlier job
    has used can be read again.
    """

    def __init__(self) -> None:
        self._nodes: dict[int, LogicalNode] = {}
        self._new: set[int] = set()
        self._company: dict[int, list[int]] = {}
        self._next_id = 1

    def add(self, name: str, spec: OperatorSpec, inputs: tuple[LogicalEdge, ...] = (), **fields: Any) -> int:
        """Add a node and return its id; its origin is the line of the user's program that is calling."""
        node_id = self._next_id
        self._next_id += 1
        self._nodes[node_id] = LogicalNode(node_id, name, spec, inputs, origin=origin_of_caller(), **fields)
        self._new.add(node_id)
        return node_id

    def node(self, node_id: int) -> LogicalNode:
        """A node as it is now."""
        return self._nodes[node_id]

    def refine(self, node_id: int, **fields: Any) -> None:
        """Change fields of a node."""
        self._nodes[node_id] = replace(self._nodes[node_id], **fields)

    def accompany(self, node_id: int, companion: int) -> None:
        """Have every job that takes a node take another one, too, which does not read it directly: the end of its loop."""
        self._company.setdefault(node_id, []).append(companion)

    def remove(self, node_id: int) -> None:
        """Take back a node that nobody reads."""
        del self._nodes[node_id]
        self._new.discard(node_id)

    def is_read(self, node_id: int) -> bool:
        """Whether another node reads this one."""
        return any(edge.source == node_id for node in self._nodes.values() for edge in node.inputs)

    def reads(self, node_id: int, source: int) -> bool:
        """Whether a node reads another one, directly or not, or is that one."""
        found: set[int] = set()
        waiting = [node_id]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += [edge.source for edge in self._nodes[each].inputs]
        return source in found

    def graph(self, job_name: str, settings: dict[str, str]) -> LogicalGraph:
        """Everything that was written since the last ``clear``, with everything that it reads, directly or not."""
        wanted: dict[int, LogicalNode] = {}
        waiting = list(self._new)
        while waiting:
            node = _reading_the_cache(self._nodes[waiting.pop()])
            if node.id not in wanted:
                wanted[node.id] = node
                waiting += [edge.source for edge in node.inputs]
                waiting += self._company.get(node.id, ())
        nodes = tuple(wanted[node_id] for node_id in self._nodes if node_id in wanted)
        return LogicalGraph(nodes, job_name, dict(settings))

    def clear(self) -> None:
        """Begin anew. Nodes are kept for streams that still stand on them, and no id is used twice."""
        self._new.clear()

    def __len__(self) -> int:
        return len(self._nodes)


def _reading_the_cache(node: LogicalNode) -> LogicalNode:
    """A cached stream whose rows are there becomes their source; every other node stays as it is."""
    if not isinstance(node.spec, CacheRowsSpec):
        return node
    parts = node.spec.rows.parts()
    if parts is None:
        return node
    from penstock.connectors.cached.source import CachedRowsSource
    from penstock.contracts.watermarks import WatermarkStrategy
    from penstock.operators.source import SourceSpec

    source = CachedRowsSource(node.spec.rows, parts)
    spec = SourceSpec(source, WatermarkStrategy.no_watermarks())
    return replace(node, name=f"Source: {source.display_name()}", spec=spec, inputs=())


class StreamFactory(Protocol):
    """Makes streams of the kinds that a plain stream leads to."""

    def keyed(self, stream: Any, key_selector: Any, key_type: Any) -> Any:
        """A stream spread by key."""

    def connected(self, first: Any, second: Any) -> Any:
        """Two streams for functions that see both; the second may be broadcast."""

    def broadcast(self, stream: Any, descriptors: tuple[Any, ...]) -> Any:
        """A stream for broadcast state."""

    def cached(self, stream: Any, folder: str) -> Any:
        """A stream whose rows later jobs read again."""

    def iterative(self, stream: Any, max_wait_ms: int) -> Any:
        """A stream that begins a loop."""

    def joined(self, first: Any, second: Any) -> Any:
        """Two streams for a join in windows."""

    def co_grouped(self, first: Any, second: Any) -> Any:
        """Two streams for a co-group in windows."""

    def partition_windowed(self, stream: Any) -> Any:
        """A ``PartitionWindowedStream``."""

    def interval_joined(self, left: Any, right: Any) -> Any:
        """Two keyed streams for a join of records that are near in time."""


class Environment(Protocol):
    """What streams know of the environment that they belong to."""

    @property
    def program(self) -> Program:
        """The program being written."""

    @property
    def streams(self) -> StreamFactory:
        """Makes streams of other kinds."""

    def get_parallelism(self) -> int:
        """The default parallelism."""

    def use_slot_sharing_group(self, group: Any) -> None:
        """Keep what the slots of a group need."""

    def cache_folder(self) -> str:
        """Where rows of cached streams are kept until the environment is closed."""

    def run_collecting(self, node_id: int, job_name: str) -> RunningJob:
        """Submit what has been written, with a collecting sink among it."""


def positive(what: str, number: Any) -> int:
    """A number of subtasks as the user gave it.

    :raises ProgramError: when it is not an integer of at least 1.
    """
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ProgramError(f"{what} must be an integer of at least 1, not {number!r} ({origin_of_caller()})")
    return number
