"""Writes what is kept of the versions that are current: ``python -m tests.compatibility.write_savepoint``.

Run once when a version is raised: that of the format, or that of RocksDB's own files in incremental checkpoints. What it
writes is committed and kept for ever; what is there already stays as it is.
"""

from pathlib import Path
from shutil import rmtree

from penstock.checkpoint.handles import OperatorStateHandle
from penstock.checkpoint.manifest import FORMAT_VERSION, Manifest, OperatorRecord, write_manifest
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import write_operator_snapshot
from penstock.operators.contract import OperatorSnapshot
from penstock.state.rocksdb.native import VERSION
from tests.compatibility.savepoint_content import GROUPS, Subtask
from tests.compatibility.sink_content import epoch, sink_state

SAVEPOINTS = Path(__file__).parent / "savepoints"
CHECKPOINTS = Path(__file__).parent / "checkpoints"
PARALLELISM = 2
SAVEPOINT_OF = {
    f"version-{FORMAT_VERSION}": "hashmap",
    f"version-{FORMAT_VERSION}-of-rocksdb": "rocksdb",
}
"""The backend that each savepoint was taken on; all entries are in files that anything can read."""
CHECKPOINTS_OF = {
    f"version-{FORMAT_VERSION}-rocksdb-{VERSION}": "rocksdb",
    f"version-{FORMAT_VERSION}-rocksdb-{VERSION - 1}": "rocksdb, timers on the heap",
}
"""The same of incremental checkpoints. RocksDB's files have the version without timers where those are on the heap."""


def write(directory: Path, backend: str = "hashmap") -> None:
    """A savepoint of two subtasks."""
    place = CheckpointPlace(str(directory))
    handles = []
    for subtask in [Subtask(index, PARALLELISM, backend) for index in range(PARALLELISM)]:
        subtask.fill()
        subtask.fill_operator_state()
        handles.append(_written(place, subtask.snapshot(), "everything", subtask.index))
        subtask.keyed.close()
    _complete(place, 1, {"everything": handles})


def write_checkpoints(directory: Path, backend: str) -> None:
    """The second checkpoint of a job, which refers to files that were stored with the first.

    The first has the first half of the keys, and one epoch of the sink that waits; with the second there are two.
    """
    subtasks = [Subtask(index, PARALLELISM, backend) for index in range(PARALLELISM)]
    epochs = [[epoch(index, 1)] for index in range(PARALLELISM)]
    for subtask in subtasks:
        subtask.fill_operator_state()
    for checkpoint_id in (1, 2):
        place = CheckpointPlace(f"{directory}/chk-{checkpoint_id}", f"{directory}/shared")
        keyed, sinks = [], []
        for index, subtask in enumerate(subtasks):
            keys = subtask.keys()
            half = len(keys) // 2
            subtask.fill(keys[:half] if checkpoint_id == 1 else keys[half:])
            keyed.append(_written(place, subtask.snapshot(checkpoint_id), "everything", index))
            own = sink_state(checkpoint_id, epochs[index])
            sinks.append(
                _written(place, OperatorSnapshot(own=own, checkpoint_id=checkpoint_id), "sink", index)
            )
            epochs[index].append(epoch(index, checkpoint_id + 1))
        _complete(place, checkpoint_id, {"everything": keyed, "sink": sinks})
    rmtree(directory / "chk-1")
    for subtask in subtasks:
        subtask.keyed.close()


def _written(
    place: CheckpointPlace, snapshot: OperatorSnapshot, operator_id: str, index: int
) -> OperatorStateHandle:
    where = SubtaskPlace(index, PARALLELISM, GROUPS)
    try:
        return write_operator_snapshot(place, snapshot, operator_id, operator_id.title(), where)
    finally:
        if snapshot.keyed is not None:
            snapshot.keyed.release()


def _complete(
    place: CheckpointPlace, checkpoint_id: int, handles: dict[str, list[OperatorStateHandle]]
) -> None:
    records = {
        name: OperatorRecord(name, name.title(), PARALLELISM, GROUPS, tuple(of_operator))
        for name, of_operator in handles.items()
    }
    assert place.directory is not None
    is_savepoint = place.shared is None
    manifest = Manifest(checkpoint_id, 1000, "0" * 32, "compatibility", is_savepoint, records)
    write_manifest(place.directory, manifest)


if __name__ == "__main__":
    for name, backend in SAVEPOINT_OF.items():
        if not (SAVEPOINTS / name).exists():
            write(SAVEPOINTS / name, backend)
    for name, backend in CHECKPOINTS_OF.items():
        if not (CHECKPOINTS / name).exists():
            write_checkpoints(CHECKPOINTS / name, backend)
