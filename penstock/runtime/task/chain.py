"""Builds the operators of one subtask and wires them: each calls the next, the last ones call the edges."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from penstock.clock import Clock
from penstock.contracts.accumulators import Accumulator
from penstock.contracts.effects import Effect
from penstock.contracts.state import KeyedStateBackend, OperatorStateBackend
from penstock.contracts.timers import Timers
from penstock.data.batch import Batch
from penstock.data.elements import StreamStatus
from penstock.data.key_groups import key_group_range
from penstock.data.own_copies import own_copy
from penstock.dataflow.job import ChainedOperator, JobVertex
from penstock.errors import RestoreFailed, StateError
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import (
    Operator,
    OperatorContext,
    OperatorSnapshot,
    Output,
    SourceLink,
)
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.pieces import Step
from penstock.runtime.refused_states import RefusedStates, open_restored, together
from penstock.runtime.task.counted import copying, counted, counting_input
from penstock.runtime.task.edge_output import EdgeOutput
from penstock.runtime.task.timekeeping import DueCalls


@dataclass(frozen=True, slots=True)
class TaskEnvironment:
    """What every operator of one subtask shares."""

    job_id: str
    vertex: JobVertex
    subtask_index: int
    attempt: int
    batch_mode: bool
    settings: dict[str, str]
    clock: Clock
    processing_time: DueCalls
    metrics: MetricGroup
    current_watermark: Callable[[], int]
    send_to_client: Callable[[str, list[Any]], None]
    source_link: SourceLink | None
    coroutines: Coroutines
    feedback: FeedbackLoops
    make_keyed_state: Callable[[OperatorContext], KeyedStateBackend]
    make_operator_state: Callable[[OperatorContext], OperatorStateBackend]
    takes_checkpoints: bool = False


@dataclass(slots=True)
class EdgeTarget:
    """An edge that leaves the vertex from one of its operators."""

    operator_index: int
    side_tag: str | None
    make: Callable[[OperatorContext], EdgeOutput]


class OperatorChain:
    """The operators of one subtask, in the order of the vertex; the head first."""

    def __init__(self, environment: TaskEnvironment, edges: list[EdgeTarget]) -> None:
        self._environment = environment
        self.time = environment.processing_time
        self.step = Step(environment.clock)
        vertex = environment.vertex
        self.contexts = [self._context(chained) for chained in vertex.operators]
        self.operators: list[Operator] = []
        self.edge_outputs: list[EdgeOutput] = []
        self._timers: dict[str, dict[str, Timers]] = {}
        self._restored: dict[str, list[OperatorSnapshot]] = {}
        built: dict[int, Operator] = {}
        for index in reversed(range(len(vertex.operators))):
            self._wire(index, edges, built)
            built[index] = vertex.operators[index].spec.build(self.contexts[index])
        self.operators = [built[index] for index in range(len(vertex.operators))]
        self.head = self.operators[0]
        self.waiting = [operator for operator in self.operators if operator.waits]
        self._finished = 0
        self.accumulators: dict[str, Accumulator] = {}

    def _context(self, chained: ChainedOperator) -> OperatorContext:
        env = self._environment

        def metrics_of(name: str) -> MetricGroup:
            return env.metrics.add_group(name).add_group(str(env.subtask_index))

        context = OperatorContext(
            job_id=env.job_id,
            operator_id=chained.id,
            name=chained.name,
            origin=chained.origin,
            subtask_index=env.subtask_index,
            parallelism=env.vertex.parallelism,
            max_parallelism=env.vertex.max_parallelism,
            attempt=env.attempt,
            batch_mode=env.batch_mode,
            clock=env.clock,
            processing_time=env.processing_time,
            metrics=metrics_of(chained.metric_name or chained.name),
            metrics_of=metrics_of,
            settings=env.settings,
            output=Output(_unwired, _unwired, _unwired, {}),
            current_watermark=env.current_watermark,
            send_to_client=env.send_to_client,
            source_link=env.source_link,
            pieces=self.step.pieces(),
            coroutines=env.coroutines,
            feedback=env.feedback,
            takes_checkpoints=env.takes_checkpoints,
            effect=chained.effect,
        )
        context.operator_state = env.make_operator_state(context)
        if chained.spec.uses_keyed_state:
            context.keyed_state = env.make_keyed_state(context)
            context.make_timers = lambda name: self._make_timers(context, name)
        return context

    def _make_timers(self, context: OperatorContext, name: str) -> Timers:
        timers = self._timers.setdefault(context.operator_id, {})
        if name in timers:
            raise StateError(f"operator {context.name!r} asks twice for the timers {name!r}")
        assert context.keyed_state is not None
        made = timers[name] = context.keyed_state.timers(name)
        before = [
            snapshot.timers[name]
            for snapshot in self._restored.get(context.operator_id, [])
            if name in snapshot.timers
        ]
        if before:
            try:
                made.restore(before, _key_groups(context))
            except StateError as error:
                raise RestoreFailed.because(context.restored_checkpoint_id or 0, error) from error
        return made

    def snapshot(self, checkpoint_id: int) -> dict[str, OperatorSnapshot]:
        """Everything that the subtask needs to go on, by operator; to be called between two steps, with the outputs flushed.

        Nothing that is in the snapshot changes afterwards: of what ``Operator.snapshot`` hands out it has a copy, as readers
        and writers of the user's may go on with it.
        """
        snapshots = {}
        for context, operator in zip(self.contexts, self.operators, strict=True):
            keyed, state = context.keyed_state, context.operator_state
            timers = self._timers.get(context.operator_id, {})
            own = operator.take_snapshot(checkpoint_id)  # first, as it may bring something into the state
            snapshots[context.operator_id] = OperatorSnapshot(
                keyed=None if keyed is None else keyed.snapshot(checkpoint_id),
                timers={name: set_of_timers.snapshot() for name, set_of_timers in timers.items()},
                operator=None if state is None else state.snapshot(),
                own=own_copy(own),
                checkpoint_id=checkpoint_id,
            )
        return snapshots

    @property
    def awaits_checkpoint(self) -> bool:
        """Whether an operator has something that only a completed checkpoint makes final."""
        return any(operator.awaits_checkpoint for operator in self.operators)

    def checkpoint_completed(self, checkpoint_id: int) -> None:
        """Tell every operator."""
        for operator in self.operators:
            operator.checkpoint_completed(checkpoint_id)

    def checkpoint_aborted(self, checkpoint_id: int) -> None:
        """Tell every operator."""
        for operator in self.operators:
            operator.checkpoint_aborted(checkpoint_id)

    def restore(self, snapshots: dict[str, list[OperatorSnapshot]]) -> None:
        """Take over what subtasks of an earlier attempt left, by operator; to be called before ``open``.

        Of keyed state and timers only the key groups of this subtask are taken, whatever the parallelism was. Operator state
        is dealt out beforehand. An operator's own value is given when there is exactly one.
        """
        self._restored = snapshots
        for context, operator in zip(self.contexts, self.operators, strict=True):
            try:
                _restore(context, operator, snapshots.get(context.operator_id, []))
            except StateError as error:
                raise error.at(context.place) from error.__cause__

    def _wire(self, index: int, edges: list[EdgeTarget], built: dict[int, Operator]) -> None:
        """Fill in the output of one operator; those behind it are built already."""
        context = self.contexts[index]
        mains: list[Callable[[Batch], None]] = []
        sides: dict[str, list[Callable[[Batch], None]]] = {}
        watermarks: list[Callable[[int], None]] = []
        statuses: list[Callable[[StreamStatus], None]] = []
        for reader, chained in enumerate(self._environment.vertex.operators):
            if chained.input_index != index:
                continue
            operator = built[reader]
            records_in = self.contexts[reader].metrics.counter("numRecordsIn")
            target = counting_input(operator.on_batch, records_in)
            (mains if chained.side_tag is None else sides.setdefault(chained.side_tag, [])).append(target)
            watermarks.append(operator.on_watermark)
            statuses.append(operator.on_status)
        for edge in edges:
            if edge.operator_index != index:
                continue
            output = edge.make(context)
            self.edge_outputs.append(output)
            (mains if edge.side_tag is None else sides.setdefault(edge.side_tag, [])).append(output.emit)
            watermarks.append(output.watermark)
            statuses.append(output.signal)
        records_out = context.metrics.counter("numRecordsOut")
        out = context.output
        copies = _copies_of(self._environment.vertex.operators[index])
        out.emit = counted(copies(mains), records_out)
        out.watermark = _to_each(watermarks)
        out.status = _to_each(statuses)
        out.set_sides({tag: counted(copies(targets), records_out) for tag, targets in sides.items()})

    def start(self) -> None:
        """Start the operators, the last first."""
        for operator in reversed(self.operators):
            operator.start()

    def open(self) -> None:
        """Open the operators, the last first, so that whoever is called is ready.

        :raises RefusedStates: one for all states that were restored and do not fit what the operators declare.
        """
        refused: list[RefusedStates] = []
        for context, operator in zip(reversed(self.contexts), reversed(self.operators), strict=True):
            if context.restored_checkpoint_id is None:
                operator.open()
                continue
            try:
                refused += open_restored(context, operator.open)
            except Exception:
                if not refused:  # else it may come of what lies behind it and is not open
                    raise
                break
        if refused:
            raise together(refused)

    def was_held_up(self) -> None:
        """Tell every operator that the task has not looked at its input for a while."""
        for operator in self.operators:
            operator.was_held_up()

    def finish(self) -> bool:
        """All inputs are at their end: the head first, so that what it still emits is seen by the others.

        Says whether all is done; as long as an operator has something in flight, or is in the middle of something, it is to
        be called again later.
        """
        for operator in self.operators[self._finished :]:
            if self.step.unfinished or operator.in_flight:
                return False
            operator.finish()
            self._finished += 1
        return not self.step.unfinished

    def close(self) -> list[BaseException]:
        """Close everything, whatever fails; yields what failed."""
        errors: list[BaseException] = []
        closes = [self.step.close]
        closes += [thing.close for thing in self.operators] + [thing.close for thing in self.edge_outputs]
        closes += [context.keyed_state.close for context in self.contexts if context.keyed_state is not None]
        for close in closes:
            try:
                close()
            except Exception as error:
                errors.append(error)
        return errors

    def merged_accumulators(self) -> dict[str, Accumulator]:
        """Copies of the accumulators of all operators of this subtask, those of one name merged."""
        merged: dict[str, Accumulator] = {}
        for context in self.contexts:
            for name, accumulator in context.accumulators.items():
                if name in merged:
                    merged[name].merge(deepcopy(accumulator))
                else:
                    merged[name] = deepcopy(accumulator)
        return merged


def _restore(context: OperatorContext, operator: Operator, parts: list[OperatorSnapshot]) -> None:
    context.restored_checkpoint_id = parts[0].checkpoint_id if parts else None
    keyed = [part.keyed for part in parts if part.keyed is not None]
    if keyed and context.keyed_state is not None:
        context.keyed_state.restore(keyed, _key_groups(context))
    for part in parts:
        if part.operator is not None and context.operator_state is not None:
            context.operator_state.restore(part.operator)
    if len(parts) == 1 and parts[0].own is not None:
        operator.restore(parts[0].own)


def _key_groups(context: OperatorContext) -> range:
    return key_group_range(context.max_parallelism, context.parallelism, context.subtask_index)


def _copies_of(
    chained: ChainedOperator,
) -> Callable[[list[Callable[[Batch], None]]], list[Callable[[Batch], None]]]:
    """How readers are kept apart: each from those behind it, and all from the operator where that gives what it keeps.

    Nobody is where no reader changes anything. An operator that may itself change what it gave has copied it already. The
    last reader gets the records themselves, when the copies of the others are made.
    """

    def keep_apart(targets: list[Callable[[Batch], None]]) -> list[Callable[[Batch], None]]:
        if not chained.is_changed_behind:
            return targets
        copied = len(targets) if chained.effect is Effect.SHARES else len(targets) - 1
        return list(map(copying, targets[:copied])) + targets[copied:]

    return keep_apart


def _to_each(targets: list[Callable[[Any], None]]) -> Callable[[Any], None]:
    if len(targets) == 1:
        return targets[0]

    def call_all(value: Any) -> None:
        for target in targets:
            target(value)

    return call_all


def _unwired(value: Any) -> None:
    raise StateError(f"{value!r:.80} was emitted before the chain was wired")
