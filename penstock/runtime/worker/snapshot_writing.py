"""Has the snapshots of one worker's tasks written, off their thread, and tells the coordinator."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.contracts.state import EntryChunk, KeyedStateSnapshot, StateEntries
from penstock.data.elements import Barrier
from penstock.dataflow.job import JobVertex
from penstock.errors import PenstockError, StateError
from penstock.ids import SubtaskId
from penstock.operators.contract import OperatorSnapshot
from penstock.runtime.background import MakeBackground
from penstock.runtime.messages import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    FromWorker,
    SnapshotTaken,
    SubtaskWaits,
    TriggerCheckpoint,
)
from penstock.runtime.task.participation import release
from penstock.runtime.task.tasklet import Tasklet

if TYPE_CHECKING:
    from penstock.checkpoint.handles import OperatorStateHandle
    from penstock.checkpoint.local_state import LocalState
    from penstock.checkpoint.place import CheckpointPlace

Snapshots = dict[str, OperatorSnapshot]
KEPT_TRIGGERS = 64


class SnapshotWriting:
    """What tasks tell of checkpoints. A barrier may be quicker than the message that says where the snapshot is to lie."""

    def __init__(
        self,
        outbox: deque[FromWorker],
        wake_up: Callable[[], None],
        make_background: MakeBackground,
        vertices: dict[int, JobVertex],
        local: "LocalState | None" = None,
    ) -> None:
        self._local = local
        self._outbox = outbox
        self._vertices = vertices
        self._background = make_background("checkpoint writer", wake_up)
        self._triggers: dict[int, TriggerCheckpoint] = {}
        self._is_closed = False
        self._early: dict[int, list[tuple[SubtaskId, Snapshots]]] = {}

    def triggered(self, trigger: TriggerCheckpoint) -> Barrier:
        """The coordinator wants a checkpoint; the barrier that stands for it."""
        self._triggers[trigger.checkpoint_id] = trigger
        for old in [each for each in self._triggers if each <= trigger.checkpoint_id - KEPT_TRIGGERS]:
            del self._triggers[old]
        for subtask, snapshots in self._early.pop(trigger.checkpoint_id, []):
            self._write(subtask, snapshots, trigger)
        return Barrier(trigger.checkpoint_id, trigger.timestamp_ms, savepoint=trigger.savepoint)

    def aborted(self, checkpoint_id: int) -> None:
        """The checkpoint will never be complete."""
        self._triggers.pop(checkpoint_id, None)
        for _, snapshots in self._early.pop(checkpoint_id, []):
            release(snapshots)

    def completed(self, checkpoint_id: int) -> None:
        """The checkpoint will be found after a failure."""
        if self._local is not None:
            self._local.forget_before(checkpoint_id)

    def stands(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        self._outbox.append(SnapshotTaken(subtask, checkpoint_id))

    def taken(self, task: Tasklet, checkpoint_id: int, snapshots: Snapshots) -> None:
        trigger = self._triggers.get(checkpoint_id)
        if trigger is None:
            self._early.setdefault(checkpoint_id, []).append((task.subtask, snapshots))
        else:
            self._write(task.subtask, snapshots, trigger)

    def declined(self, subtask: SubtaskId, checkpoint_id: int, error: PenstockError) -> None:
        self._outbox.append(CheckpointDeclined(subtask, checkpoint_id, error))

    def waits(self, subtask: SubtaskId) -> None:
        self._outbox.append(SubtaskWaits(subtask))

    def deliver(self) -> bool:
        """Tell the coordinator what is written; says whether there was anything."""
        return self._background.deliver()

    def close(self) -> None:
        """Write no more. The file that is being written is waited for: nothing is written behind whoever cleans up."""
        self._is_closed = True
        self._background.close(finish=True)

    def _write(self, subtask: SubtaskId, snapshots: Snapshots, trigger: TriggerCheckpoint) -> None:
        from penstock.checkpoint.snapshot_files import load_libraries

        vertex = self._vertices[subtask.vertex]
        for snapshot in snapshots.values():
            load_libraries(snapshot)

        def told(handles: "dict[str, OperatorStateHandle] | None", error: BaseException | None) -> None:
            if handles is not None:
                self._outbox.append(CheckpointAcknowledged(subtask, trigger.checkpoint_id, handles))
            else:
                self.declined(subtask, trigger.checkpoint_id, _explained(error, vertex, subtask))

        place = trigger.place
        if self._local is not None:
            place = self._local.to_write(place, trigger.savepoint)

        def go_on() -> None:
            if self._is_closed or trigger.checkpoint_id not in self._triggers:
                raise StateError(f"checkpoint {trigger.checkpoint_id} was given up before it was written")

        def write() -> "dict[str, OperatorStateHandle]":
            try:
                go_on()
                interruptible = {id: _interruptible(snapshot, go_on) for id, snapshot in snapshots.items()}
                return _write_all(place, vertex, subtask, interruptible, go_on)
            finally:
                release(snapshots)

        self._background.submit(write, told)


class _InterruptibleEntries:
    """Entries of a snapshot that is given up in the middle when nobody wants it any more: ``go_on`` raises then."""

    __slots__ = ("_entries", "_go_on", "meta")

    def __init__(self, entries: StateEntries, go_on: Callable[[], None]) -> None:
        self.meta = entries.meta
        self._entries = entries
        self._go_on = go_on

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        for chunk in self._entries.chunks(key_groups):
            self._go_on()
            yield chunk


def _interruptible(snapshot: OperatorSnapshot, go_on: Callable[[], None]) -> OperatorSnapshot:
    keyed = snapshot.keyed
    if keyed is None:
        return snapshot
    states: dict[str, StateEntries] = {
        name: _InterruptibleEntries(entries, go_on) for name, entries in keyed.states.items()
    }
    return replace(snapshot, keyed=KeyedStateSnapshot(keyed.max_parallelism, states, keyed.native))


def _write_all(
    place: "CheckpointPlace",
    vertex: JobVertex,
    subtask: SubtaskId,
    snapshots: Snapshots,
    go_on: Callable[[], None],
) -> "dict[str, OperatorStateHandle]":
    from penstock.checkpoint.redistribution import SubtaskPlace
    from penstock.checkpoint.snapshot_files import is_empty, write_operator_snapshot

    where = SubtaskPlace(subtask.index, vertex.parallelism, vertex.max_parallelism)
    handles = {}
    for chained in vertex.operators:
        snapshot = snapshots[chained.id]
        if is_empty(snapshot):
            continue
        try:
            handles[chained.id] = write_operator_snapshot(
                place, snapshot, chained.id, chained.name, where, go_on
            )
        except PenstockError as error:
            at = f", made at {chained.origin}" if chained.origin else ""
            raise error.at(
                f"in operator {chained.name!r}, subtask {subtask.index + 1}/{vertex.parallelism}{at}"
            ) from error.__cause__
    for operator_id in snapshots.keys() - {chained.id for chained in vertex.operators}:
        # What is on its way to the head has an entry of its own, so that the head's need not be read for it.
        name = f"{vertex.head.name}, records in flight"
        handles[operator_id] = write_operator_snapshot(
            place, snapshots[operator_id], operator_id, name, where, go_on
        )
    return handles


def _explained(error: BaseException | None, vertex: JobVertex, subtask: SubtaskId) -> PenstockError:
    if isinstance(error, PenstockError):
        return error
    failure = StateError(f"a snapshot cannot be written: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure.at(f"in {vertex.name!r}, subtask {subtask.index + 1}/{vertex.parallelism}")
