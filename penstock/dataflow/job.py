"""JobGraph: what is submitted. Vertices of chained operators, edges with their exchange, and how both become channels."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock.contracts.effects import Effect
from penstock.contracts.partitioning import Forward, Partitioning, Rescale
from penstock.dataflow.slot_resources import SlotResources
from penstock.ids import ChannelId, SubtaskId, VertexId
from penstock.operators.contract import OperatorSpec, Origin


@dataclass(frozen=True, slots=True)
class WrittenOperator:
    """An operator as the program has it. ``metric_name`` is a name that no other operator of the job has."""

    id: str
    name: str
    metric_name: str


@dataclass(frozen=True, slots=True)
class ChainedOperator:
    """One operator of a vertex. ``input_index`` is the operator of the same vertex that it reads, None for the head;
    ``metric_name`` is a name that no other operator of the job has. ``effect``: what it does to records. ``fused``: the
    operators of the program that it consists of, where they are several.
    ``is_changed_behind``: whether operators behind it may change those that it gives."""

    id: str
    name: str
    spec: OperatorSpec
    metric_name: str = ""
    input_index: int | None = None
    side_tag: str | None = None
    origin: Origin | None = None
    node_ids: tuple[int, ...] = ()
    effect: Effect = Effect.CHANGES
    is_changed_behind: bool = True
    fused: tuple[WrittenOperator, ...] = ()

    @property
    def written(self) -> tuple[WrittenOperator, ...]:
        """The operators of the program in it."""
        return self.fused or (WrittenOperator(self.id, self.name, self.metric_name or self.name),)


@dataclass(frozen=True, slots=True)
class JobVertex:
    """A chain (in truth a tree) of operators that runs as one task, in ``parallelism`` subtasks. ``follows_default``: none of
    its operators was given a parallelism of its own. ``max_is_open``: its maximum parallelism was set nowhere."""

    id: VertexId
    name: str
    operators: tuple[ChainedOperator, ...]
    parallelism: int
    max_parallelism: int
    slot_sharing_group: str
    buffer_timeout_ms: int
    follows_default: bool = False
    max_is_open: bool = False

    @property
    def head(self) -> ChainedOperator:
        """The operator that reads the inputs."""
        return self.operators[0]

    def subtasks(self) -> Iterator[SubtaskId]:
        """All parallel instances."""
        return (SubtaskId(self.id, index) for index in range(self.parallelism))


@dataclass(frozen=True, slots=True)
class JobEdge:
    """From one operator of a vertex to the head of another."""

    index: int
    source: VertexId
    operator_index: int
    side_tag: str | None
    target: VertexId
    port: int
    partitioning: Partitioning
    blocking: bool


@dataclass(frozen=True, slots=True)
class Link:
    """One channel: from one subtask to another, for one edge."""

    id: ChannelId
    edge: int
    sender: int
    receiver: int


@dataclass(frozen=True, slots=True)
class JobGraph:
    """What is submitted to a carrier; picklable with cloudpickle."""

    job_name: str
    vertices: tuple[JobVertex, ...]
    edges: tuple[JobEdge, ...]
    batch_mode: bool
    settings: dict[str, str] = field(default_factory=dict)
    slot_resources: dict[str, SlotResources] = field(default_factory=dict)

    def vertex(self, vertex_id: VertexId) -> JobVertex:
        """The vertex with this id."""
        for vertex in self.vertices:
            if vertex.id == vertex_id:
                return vertex
        raise KeyError(vertex_id)

    @property
    def parallelism(self) -> int:
        """The largest parallelism of all vertices: how many slots the job needs where all of them share slots."""
        return max((vertex.parallelism for vertex in self.vertices), default=0)

    def links(self) -> list[Link]:
        """Every channel of the job; the same list, with the same ids, wherever it is computed."""
        links: list[Link] = []
        for edge in self.edges:
            senders = self.vertex(edge.source).parallelism
            receivers = self.vertex(edge.target).parallelism
            for sender in range(senders):
                for receiver in receivers_of(edge.partitioning, sender, senders, receivers):
                    links.append(Link(ChannelId(len(links)), edge.index, sender, receiver))
        return links


def receivers_of(partitioning: Partitioning, sender: int, senders: int, receivers: int) -> range:
    """The subtasks that one sender can reach.

    Forward reaches its own number. Rescale gives each of few senders an even share of many receivers, or lets several
    senders share one receiver.

    >>> receivers_of(Rescale(), 1, 2, 4)
    range(2, 4)
    >>> receivers_of(Rescale(), 3, 4, 2)
    range(1, 2)
    """
    if isinstance(partitioning, Forward):
        return range(sender, sender + 1)
    if isinstance(partitioning, Rescale):
        if senders >= receivers:
            own = sender * receivers // senders
            return range(own, own + 1)
        return range(sender * receivers // senders, (sender + 1) * receivers // senders)
    return range(receivers)
