"""Builds the tasks of one worker out of a deployment: channels, gates, chains."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.clock import Clock
from penstock.contracts.partitioning import (
    Broadcast,
    Custom,
    Forward,
    Global,
    Hash,
    Partitioning,
    Rebalance,
    Rescale,
    Shuffle,
)
from penstock.data.batch import Batch
from penstock.dataflow.job import JobEdge, JobGraph, JobVertex, Link
from penstock.ids import ChannelId, SubtaskId, WorkerIndex
from penstock.metrics.kinds import MetricGroup
from penstock.network.channel import InputChannel, OutputChannel, channel_number
from penstock.network.in_process import InProcessChannel
from penstock.network.partitioners import (
    BroadcastPartitioner,
    CustomPartitioner,
    ForwardPartitioner,
    GlobalPartitioner,
    HashPartitioner,
    Partitioner,
    RebalancePartitioner,
    ShufflePartitioner,
)
from penstock.network.plane import ChannelPlane
from penstock.network.spilled import SpoolChannel, SpoolMemory
from penstock.operators.contract import OperatorContext, SourceLink
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.user_code import callable_of
from penstock.runtime.messages import Deployment
from penstock.runtime.task.barrier_alignment import BarrierAlignment
from penstock.runtime.task.chain import EdgeTarget, OperatorChain, TaskEnvironment
from penstock.runtime.task.counted import copied
from penstock.runtime.task.dealt_in_flight import may_be_overtaken
from penstock.runtime.task.edge_output import EdgeOutput
from penstock.runtime.task.finished import FinishedTasklet
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.keying import KeyExtractor, route_of
from penstock.runtime.task.scatter import Scatter
from penstock.runtime.task.tasklet import GroupedTasklet, OperatorTasklet, SourceTasklet, Tasklet
from penstock.runtime.task.timekeeping import DueCalls
from penstock.runtime.worker.state_access import StateAccess

IN_PROCESS_CAPACITY_BATCHES = 4


@dataclass(frozen=True, slots=True)
class WorkerSurroundings:
    """What the tasks of one worker share."""

    index: WorkerIndex
    clock: Clock
    metrics_of: Callable[[SubtaskId], MetricGroup]
    data_plane: ChannelPlane | None
    link_of: Callable[[SubtaskId], SourceLink]
    send_to_client: Callable[[SubtaskId], Callable[[str, list[Any]], None]]
    coroutines: Coroutines
    spools: dict[ChannelId, SpoolChannel]
    spool_memory: SpoolMemory


@dataclass(frozen=True, slots=True)
class RemoteChannel:
    """One end of a channel to another worker."""

    number: int
    peer: WorkerIndex
    other: SubtaskId


class TaskWiring:
    """Makes every channel once, and from them the tasks: all of this worker, or ``subtasks`` alone.

    A channel between workers has another number in each attempt, so that what was on its way in the last one is known by it.
    """

    def __init__(
        self,
        deployment: Deployment,
        surroundings: WorkerSurroundings,
        subtasks: frozenset[SubtaskId] | None = None,
    ) -> None:
        self._deployment = deployment
        self._worker_of = deployment.placement.worker_of
        self._subtasks = subtasks
        self._graph: JobGraph = deployment.graph
        self._around = surroundings
        self._state = StateAccess(self._graph.settings, surroundings.clock)
        self._feedback = FeedbackLoops()
        self._links: dict[tuple[int, int], list[Link]] = {}
        self._links_in: dict[tuple[int, int], list[Link]] = {}
        for link in self._graph.links():
            self._links.setdefault((link.edge, link.sender), []).append(link)
            self._links_in.setdefault((link.edge, link.receiver), []).append(link)
        self._local: dict[int, InProcessChannel | SpoolChannel] = {}

    def build(self) -> list[Tasklet]:
        """The tasks of this worker, in the order of the graph, so that one round of steps carries records through."""
        return [
            self._tasklet(vertex, subtask)
            for vertex in self._graph.vertices
            for subtask in vertex.subtasks()
            if self._is_mine(subtask)
        ]

    def remote_channels(self) -> dict[SubtaskId, dict[ChannelId, RemoteChannel]]:
        """The ends of the channels to other workers that are made for the tasks, by task and link."""
        found: dict[SubtaskId, dict[ChannelId, RemoteChannel]] = {}
        for subtask, link, other in self._ends():
            peer = self._worker_of(other)
            if peer != self._around.index and self._starts(other):
                channel = RemoteChannel(channel_number(link.id, self._deployment.attempt), peer, other)
                found.setdefault(subtask, {})[link.id] = channel
        return found

    def _ends(self) -> Iterator[tuple[SubtaskId, Link, SubtaskId]]:
        """Each end of a link that is at a task of this worker, and who is at its other end."""
        edges = {edge.index: edge for edge in self._graph.edges}
        for links in self._links.values():
            for link in links:
                sender = SubtaskId(edges[link.edge].source, link.sender)
                receiver = SubtaskId(edges[link.edge].target, link.receiver)
                if self._is_mine(sender):
                    yield sender, link, receiver
                if self._is_mine(receiver):
                    yield receiver, link, sender

    def _starts(self, subtask: SubtaskId) -> bool:
        return self._subtasks is None or subtask in self._subtasks

    def _is_mine(self, subtask: SubtaskId) -> bool:
        return self._starts(subtask) and self._worker_of(subtask) == self._around.index

    def _number(self, link: Link) -> int:
        return channel_number(link.id, self._deployment.attempt)

    def _tasklet(self, vertex: JobVertex, subtask: SubtaskId) -> Tasklet:
        name = f"{vertex.name} ({subtask.index + 1}/{vertex.parallelism})"
        gate_holder: list[InputGate] = []
        chain = OperatorChain(
            self._environment(vertex, subtask, gate_holder), self._edge_targets(vertex, subtask)
        )
        edges = [edge for edge in self._graph.edges if edge.target == vertex.id]
        restore = self._deployment.restore
        if restore is not None and subtask in restore.finished:
            inputs = [(edge.port, channel) for edge in edges for channel in self._inputs(edge, subtask)]
            return FinishedTasklet(subtask, name, chain, vertex.buffer_timeout_ms, InputGate(inputs))
        if not edges:
            return SourceTasklet(subtask, name, chain, vertex.buffer_timeout_ms)
        by_edge = [(edge, channel) for edge in edges for channel in self._inputs(edge, subtask)]
        gate = InputGate(
            [(edge.port, channel) for edge, channel in by_edge],
            BarrierAlignment(blocks=self._deployment.exactly_once is not False),
            frozenset(i for i, (edge, _) in enumerate(by_edge) if not may_be_overtaken(edge.partitioning)),
        )
        gate_holder.append(gate)
        first_port = vertex.head.spec.first_port
        keyed = vertex.head.spec.uses_keyed_state and all(
            isinstance(edge.partitioning, Hash) for edge in edges if edge.port != first_port
        )
        if self._graph.batch_mode and first_port is not None:
            gate.read_first(first_port)
        if self._graph.batch_mode and keyed:
            return GroupedTasklet(
                subtask, name, chain, vertex.buffer_timeout_ms, gate, self._state.grouping()
            )
        if self._graph.batch_mode:
            gate.hold_until_complete()
        task = OperatorTasklet(subtask, name, chain, vertex.buffer_timeout_ms, gate)
        patience_ms = self._deployment.unaligned_after_ms
        task.unaligned_after_s = None if patience_ms is None else patience_ms / 1000
        return task

    def _environment(self, vertex: JobVertex, subtask: SubtaskId, gate: list[InputGate]) -> TaskEnvironment:
        around = self._around
        return TaskEnvironment(
            job_id=str(self._deployment.job_id),
            vertex=vertex,
            subtask_index=subtask.index,
            attempt=self._deployment.attempt,
            batch_mode=self._graph.batch_mode,
            settings=self._graph.settings,
            clock=around.clock,
            processing_time=DueCalls(around.clock),
            metrics=around.metrics_of(subtask),
            current_watermark=lambda: gate[0].watermark if gate else -(2**63),
            send_to_client=around.send_to_client(subtask),
            source_link=around.link_of(subtask),
            coroutines=around.coroutines,
            feedback=self._feedback,
            make_keyed_state=self._state.keyed,
            make_operator_state=self._state.operator,
            takes_checkpoints=self._deployment.takes_checkpoints,
        )

    def _edge_targets(self, vertex: JobVertex, subtask: SubtaskId) -> list[EdgeTarget]:
        return [
            EdgeTarget(edge.operator_index, edge.side_tag, self._edge_maker(edge, vertex, subtask))
            for edge in self._graph.edges
            if edge.source == vertex.id
        ]

    def _edge_maker(
        self, edge: JobEdge, vertex: JobVertex, subtask: SubtaskId
    ) -> Callable[[OperatorContext], EdgeOutput]:
        def make(context: OperatorContext) -> EdgeOutput:
            target = self._graph.vertex(edge.target)
            channels = [self._output(link, edge) for link in self._links.get((edge.index, subtask.index), [])]
            keys = scatter = None
            if isinstance(edge.partitioning, Hash):
                keys = KeyExtractor(context, edge.partitioning.key, edge.partitioning.key_type)
                router = keys.router(target.max_parallelism, target.parallelism)
                scatter = Scatter.by_item(keys.expression, router, len(channels))
            copy = copied if vertex.operators[edge.operator_index].is_changed_behind else None
            partitioner = make_partitioner(edge.partitioning, context, target, len(channels), copy)
            return EdgeOutput(context, channels, partitioner, keys, vertex.buffer_timeout_ms, scatter)

        return make

    def _output(self, link: Link, edge: JobEdge) -> OutputChannel:
        receiver = self._worker_of(SubtaskId(edge.target, link.receiver))
        if receiver == self._around.index:
            return self._local_channel(link, edge)
        assert self._around.data_plane is not None
        return self._around.data_plane.output(self._number(link), receiver)

    def _inputs(self, edge: JobEdge, subtask: SubtaskId) -> list[InputChannel]:
        channels: list[InputChannel] = []
        for link in self._links_in.get((edge.index, subtask.index), []):
            sender = SubtaskId(edge.source, link.sender)
            worker = self._worker_of(sender)
            if not self._starts(sender):  # only a blocking exchange has a sender that goes on running
                kept = self._around.spools[link.id]
                kept.rewind()
                channels.append(kept)
            elif worker == self._around.index:
                channels.append(self._local_channel(link, edge))
            else:
                assert self._around.data_plane is not None
                spool = self._spool(link) if edge.blocking else None
                channels.append(self._around.data_plane.input(self._number(link), worker, spool))
        return channels

    def _local_channel(self, link: Link, edge: JobEdge) -> InProcessChannel | SpoolChannel:
        if link.id not in self._local:
            self._local[link.id] = (
                self._spool(link) if edge.blocking else InProcessChannel(IN_PROCESS_CAPACITY_BATCHES)
            )
        return self._local[link.id]

    def _spool(self, link: Link) -> SpoolChannel:
        keeps = self._deployment.keeps_inputs
        spool = SpoolChannel(self._around.spool_memory, keeps=keeps)
        if keeps:
            before = self._around.spools.pop(link.id, None)
            if before is not None:
                before.discard()
            self._around.spools[link.id] = spool
        return spool


def make_partitioner(
    partitioning: Partitioning,
    context: OperatorContext,
    target: JobVertex,
    channels: int,
    copy: Callable[[Batch], Batch] | None = None,
) -> Partitioner:
    """The partitioner of one sender for an edge; ``copy`` of batches where several receivers may change their records."""
    match partitioning:
        case Forward():
            return ForwardPartitioner()
        case Hash():
            return HashPartitioner(route_of(context, target.max_parallelism, target.parallelism), channels)
        case Rebalance() | Rescale():
            return RebalancePartitioner(channels, context.subtask_index)
        case Shuffle():
            return ShufflePartitioner(channels, f"{context.operator_id}/{context.subtask_index}")
        case Broadcast():
            return BroadcastPartitioner(channels, copy)
        case Global():
            return GlobalPartitioner(channels)
        case Custom(partition, key):
            choose = callable_of(partition, "partition", "partition_custom")
            return CustomPartitioner(choose, channels, callable_of(key, "get_key", "partition_custom"))
