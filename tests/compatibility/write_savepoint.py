"""Writes a savepoint of the format version that is current: ``python -m tests.compatibility.write_savepoint``.

Run once when the version of the format is raised; what it writes is committed and kept for ever.
"""

from pathlib import Path

from penstock.checkpoint.manifest import FORMAT_VERSION, Manifest, OperatorRecord, write_manifest
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import write_operator_snapshot
from tests.compatibility.savepoint_content import GROUPS, Subtask

SAVEPOINTS = Path(__file__).parent / "savepoints"
PARALLELISM = 2


def write(directory: Path) -> None:
    """A savepoint of two subtasks."""
    place = CheckpointPlace(str(directory))
    handles = []
    for index in range(PARALLELISM):
        subtask = Subtask(index, PARALLELISM)
        subtask.fill()
        where = SubtaskPlace(index, PARALLELISM, GROUPS)
        handles.append(write_operator_snapshot(place, subtask.snapshot(), "everything", "Everything", where))
    record = OperatorRecord("everything", "Everything", PARALLELISM, GROUPS, tuple(handles))
    write_manifest(str(directory), Manifest(1, 1000, "0" * 32, "compatibility", True, {"everything": record}))


if __name__ == "__main__":
    write(SAVEPOINTS / f"version-{FORMAT_VERSION}")
