"""Gives the tasks of one worker what an earlier attempt, or a savepoint, left for them; before they are opened."""

from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot
from penstock.dataflow.job import JobVertex
from penstock.operators.contract import OperatorSnapshot
from penstock.runtime.messages import Restore
from penstock.runtime.task.tasklet import Tasklet


def restore_task(task: Tasklet, vertex: JobVertex, restore: Restore) -> None:
    """Read what is this subtask's, and give it to its operators.

    :raises StateError: when a file was altered, or its content does not fit the operator.
    """
    place = SubtaskPlace(task.subtask.index, vertex.parallelism, vertex.max_parallelism)
    snapshots: dict[str, list[OperatorSnapshot]] = {}
    for chained in vertex.operators:
        snapshot = read_operator_snapshot(restore.place, restore.handles.get(chained.id, ()), place)
        # An operator that had nothing to remember is told all the same that it does not begin from nothing.
        snapshots[chained.id] = [snapshot or OperatorSnapshot(checkpoint_id=restore.checkpoint_id)]
    task.chain.restore(snapshots)
