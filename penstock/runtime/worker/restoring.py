"""Gives the tasks of one worker what an earlier attempt, or a savepoint, left for them; before they are opened."""

from functools import partial

from penstock.checkpoint.handles import in_flight_id
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.dataflow.job import JobVertex
from penstock.errors import RestoreFailed, StateError
from penstock.operators.contract import OperatorSnapshot
from penstock.runtime.messages import Restore
from penstock.runtime.task.tasklet import OperatorTasklet, Tasklet
from penstock.runtime.worker.garbage import uncollected
from penstock.state.native_entries import open_rocksdb_files


def load_libraries() -> None:
    """Import what reading state takes, ahead of the time when the job waits for it."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401


def restore_task(task: Tasklet, vertex: JobVertex, restore: Restore, settings: dict[str, str]) -> None:
    """Read what is this subtask's, and give it to its operators. ``settings`` are those of the job.

    :raises RestoreFailed: when a file was altered, or its content does not fit the operator.
    """
    try:
        with uncollected():
            _restore(task, vertex, restore, settings)
    except StateError as error:
        failed = RestoreFailed(
            f"checkpoint {restore.checkpoint_id} cannot be restored: {error.message}", restore.checkpoint_id
        )
        failed.places.extend(error.places)
        raise failed from error


def _restore(task: Tasklet, vertex: JobVertex, restore: Restore, settings: dict[str, str]) -> None:
    place = SubtaskPlace(task.subtask.index, vertex.parallelism, vertex.max_parallelism)
    snapshots: dict[str, list[OperatorSnapshot]] = {}
    for chained in vertex.operators:
        handles = restore.handles.get(chained.id, ())
        snapshot = read_operator_snapshot(
            restore.place, handles, place, partial(open_rocksdb_files, settings)
        )
        # An operator that had nothing to remember is told all the same that it does not begin from nothing.
        snapshots[chained.id] = [snapshot or OperatorSnapshot(checkpoint_id=restore.checkpoint_id)]
    task.chain.restore(snapshots)
    if isinstance(task, OperatorTasklet):
        handles = restore.handles.get(in_flight_id(vertex.head.id), ())
        found = read_operator_snapshot(restore.place, handles, place)
        if found is not None and found.own is not None:
            task.gate.replay(found.own)
