"""Why values in a checkpoint cannot be read by the program as it is now: of all states at once, out of files' footers."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from penstock.checkpoint.class_changes import changes_by_schema, changes_of
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateFile
from penstock.checkpoint.place import CheckpointPlace
from penstock.errors import PenstockError
from penstock.storage.reading import open_file


def class_problems(handles: Iterable[OperatorStateHandle], place: CheckpointPlace) -> list[str]:
    """One line for each state with values of a class that they cannot be made of any more.

    A file that cannot be read is left out: it is to be named by whoever reads all of it.
    """
    return list(dict.fromkeys(_problems(handles, place)))


def _problems(handles: Iterable[OperatorStateHandle], place: CheckpointPlace) -> Iterator[str]:
    for handle in handles:
        changes = [(state.name, changes_of(state.classes)) for state in handle.states]
        changes += [
            (file.state, changes_by_schema(_metadata(file, place), file.state))
            for file in handle.files
            if file.role not in (FileRole.OWN, FileRole.PART, FileRole.NATIVE)
        ]
        changes += [("", changes_of(file.classes)) for file in handle.files]
        for state, found in changes:
            what = f"state {state!r}" if state else "what it remembers itself"
            for change in found:
                if change.problem is not None:
                    yield f"operator {handle.operator_name!r}, {what}: {change.problem}"


def _metadata(file: StateFile, place: CheckpointPlace) -> dict[bytes, bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with suppress(PenstockError, OSError, pa.ArrowException):
        if file.content is not None:
            return pq.read_schema(pa.BufferReader(file.content)).metadata or {}
        with open_file(place.path_of(file.name)) as stream:
            return pq.read_schema(stream).metadata or {}
    return {}
