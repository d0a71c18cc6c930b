"""Gives the tasks of one worker what an earlier attempt, or a savepoint, left for them; before they are opened."""

from functools import partial

from penstock.checkpoint.class_problems import class_problems
from penstock.checkpoint.handles import OperatorStateHandle, in_flight_id
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.dataflow.job import JobGraph, JobVertex
from penstock.errors import RestoreFailed, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.runtime.messages import Restore
from penstock.runtime.refused_states import RefusedStates
from penstock.runtime.task.dealt_in_flight import Receivers, RecordedEdge, dealt_out
from penstock.runtime.task.in_flight import InFlight
from penstock.runtime.task.tasklet import OperatorTasklet, Tasklet
from penstock.runtime.worker.garbage import uncollected
from penstock.state.native_entries import open_rocksdb_files


def load_libraries() -> None:
    """Import what reading and writing state takes, ahead of the time when the job waits for it."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401


def restore_task(task: Tasklet, vertex: JobVertex, restore: Restore, graph: JobGraph) -> None:
    """Read what is this subtask's, and give it to its operators.

    :raises RestoreFailed: when a file was altered, or its content does not fit the operator.
    :raises RefusedStates: when the program's classes are the reason, so that no other checkpoint would do better.
    """
    try:
        with uncollected():
            _restore(task, vertex, restore, graph)
    except StateError as error:
        failed = RestoreFailed.because(restore.checkpoint_id, error)
        own = [handle for each in vertex.operators for handle in restore.handles.get(each.id, ())]
        problems = class_problems(own, restore.place)
        if not problems:
            raise failed from error
        refused = RefusedStates(failed.message, {problem: problem for problem in problems})
        refused.places.extend(error.places)
        raise refused from error


def _restore(task: Tasklet, vertex: JobVertex, restore: Restore, graph: JobGraph) -> None:
    place = SubtaskPlace(task.subtask.index, vertex.parallelism, vertex.max_parallelism)
    snapshots: dict[str, list[OperatorSnapshot]] = {}
    for chained in vertex.operators:
        handles = restore.handles.get(chained.id, ())
        snapshot = read_operator_snapshot(
            restore.place, handles, place, partial(open_rocksdb_files, graph.settings)
        )
        # An operator that had nothing to remember is told all the same that it does not begin from nothing.
        snapshots[chained.id] = [snapshot or OperatorSnapshot(checkpoint_id=restore.checkpoint_id)]
    task.chain.restore(snapshots)
    handles = restore.handles.get(in_flight_id(vertex.head.id), ())
    if handles and isinstance(task, OperatorTasklet):
        task.gate.replay(_in_flight(handles, vertex, task.subtask.index, restore, graph))


def _in_flight(
    handles: tuple[OperatorStateHandle, ...], vertex: JobVertex, mine: int, restore: Restore, graph: JobGraph
) -> InFlight:
    """What was on its way to a vertex when the barrier overtook it, as far as it is on its way to this subtask now."""
    before = handles[0].parallelism
    recorded: list[InFlight | None] = [None] * before
    for handle in handles:
        place = SubtaskPlace(handle.subtask_index, before, handle.max_parallelism)
        found = read_operator_snapshot(restore.place, [handle], place)
        recorded[handle.subtask_index] = None if found is None else found.own
    edges = [edge for edge in graph.edges if edge.target == vertex.id]
    inputs = [
        RecordedEdge(edge.partitioning, _parallelism_before(sender, restore), sender.parallelism)
        for edge in edges
        for sender in [graph.vertex(edge.source)]
    ]
    receivers = Receivers(before, vertex.parallelism, mine, vertex.max_parallelism)
    return dealt_out(recorded, inputs, receivers)


def _parallelism_before(vertex: JobVertex, restore: Restore) -> int:
    known = [restore.parallelisms[each.id] for each in vertex.operators if each.id in restore.parallelisms]
    return known[0] if known else vertex.parallelism
