"""Builds the tasks of one worker out of a deployment: channels, gates, chains."""

from collections.abc import Callable
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
from penstock.data.keys import KeyRouter
from penstock.dataflow.job import JobEdge, JobGraph, JobVertex, Link
from penstock.ids import SubtaskId, WorkerIndex
from penstock.metrics.kinds import MetricGroup
from penstock.network.channel import InputChannel, OutputChannel
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
from penstock.network.spilled import SpoolChannel
from penstock.operators.contract import OperatorContext, ProcessingTime, SourceLink
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.user_code import callable_of
from penstock.runtime.messages import Deployment
from penstock.runtime.scheduling.placement import worker_of
from penstock.runtime.task.barrier_alignment import BarrierAlignment
from penstock.runtime.task.chain import EdgeTarget, OperatorChain, TaskEnvironment
from penstock.runtime.task.edge_output import EdgeOutput
from penstock.runtime.task.finished import FinishedTasklet
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.keying import KeyExtractor, route_of
from penstock.runtime.task.scatter import Scatter
from penstock.runtime.task.tasklet import GroupedTasklet, OperatorTasklet, SourceTasklet, Tasklet
from penstock.runtime.worker.state_access import StateAccess

IN_PROCESS_CAPACITY_BATCHES = 4
SPOOL_MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class WorkerSurroundings:
    """What the tasks of one worker share."""

    index: WorkerIndex
    clock: Clock
    processing_time: ProcessingTime
    metrics: MetricGroup
    data_plane: ChannelPlane | None
    link_of: Callable[[SubtaskId], SourceLink]
    send_to_client: Callable[[SubtaskId], Callable[[str, list[Any]], None]]
    coroutines: Coroutines


class TaskWiring:
    """Makes every channel once, and from them the tasks."""

    def __init__(self, deployment: Deployment, surroundings: WorkerSurroundings) -> None:
        self._deployment = deployment
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
            if worker_of(subtask, self._deployment.workers) == self._around.index
        ]

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
        gate = InputGate(
            [(edge.port, channel) for edge in edges for channel in self._inputs(edge, subtask)],
            BarrierAlignment(blocks=self._deployment.exactly_once is not False),
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
            processing_time=around.processing_time,
            metrics=around.metrics,
            current_watermark=lambda: gate[0].watermark if gate else -(2**63),
            send_to_client=around.send_to_client(subtask),
            source_link=around.link_of(subtask),
            coroutines=around.coroutines,
            feedback=self._feedback,
            make_keyed_state=self._state.keyed,
            make_operator_state=self._state.operator,
            make_timers=self._state.timers,
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
                keys = KeyExtractor(context, edge.partitioning.key)
                router = KeyRouter(target.max_parallelism, target.parallelism)
                scatter = Scatter.by_item(keys.expression, router, len(channels))
            partitioner = make_partitioner(edge.partitioning, context, target, len(channels))
            return EdgeOutput(context, channels, partitioner, keys, vertex.buffer_timeout_ms, scatter)

        return make

    def _output(self, link: Link, edge: JobEdge) -> OutputChannel:
        receiver = worker_of(SubtaskId(edge.target, link.receiver), self._deployment.workers)
        if receiver == self._around.index:
            return self._local_channel(link, edge)
        assert self._around.data_plane is not None
        return self._around.data_plane.output(link.id, receiver)

    def _inputs(self, edge: JobEdge, subtask: SubtaskId) -> list[InputChannel]:
        channels: list[InputChannel] = []
        for link in self._links_in.get((edge.index, subtask.index), []):
            sender = worker_of(SubtaskId(edge.source, link.sender), self._deployment.workers)
            if sender == self._around.index:
                channels.append(self._local_channel(link, edge))
                continue
            assert self._around.data_plane is not None
            spool = SpoolChannel(SPOOL_MEMORY_BYTES) if edge.blocking else None
            channels.append(self._around.data_plane.input(link.id, sender, spool))
        return channels

    def _local_channel(self, link: Link, edge: JobEdge) -> InProcessChannel | SpoolChannel:
        if link.id not in self._local:
            self._local[link.id] = (
                SpoolChannel(SPOOL_MEMORY_BYTES)
                if edge.blocking
                else InProcessChannel(IN_PROCESS_CAPACITY_BATCHES)
            )
        return self._local[link.id]


def make_partitioner(
    partitioning: Partitioning, context: OperatorContext, target: JobVertex, channels: int
) -> Partitioner:
    """The partitioner of one sender for an edge."""
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
            return BroadcastPartitioner(channels)
        case Global():
            return GlobalPartitioner(channels)
        case Custom(partition, key):
            choose = callable_of(partition, "partition", "partition_custom")
            return CustomPartitioner(choose, channels, callable_of(key, "get_key", "partition_custom"))
