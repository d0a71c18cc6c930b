"""The manifest ``_metadata``: what a checkpoint consists of. It is written last, and a checkpoint without it does not exist.

One line that says what it is, with format version, length and checksum of the rest; then JSON.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from penstock.checkpoint.checksums import checksum_of
from penstock.checkpoint.handles import OperatorStateHandle, handle_as_json, handle_from_json
from penstock.checkpoint.place import CheckpointPlace
from penstock.errors import OutsideError, StateError
from penstock.storage.reading import open_file, outside_errors
from penstock.storage.writing import create_file, exists, is_local, write_in_place

MANIFEST_NAME = "_metadata"
FORMAT_VERSION = 1
_MAGIC = "penstock-checkpoint"


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """What a checkpoint holds of one operator. ``finished``: the subtasks that had come to their end.

    ``enumerator`` is the pickled state of a source's split enumerator.
    """

    operator_id: str
    name: str
    parallelism: int
    max_parallelism: int
    handles: tuple[OperatorStateHandle, ...] = ()
    enumerator: bytes | None = None
    finished: tuple[int, ...] = ()

    @property
    def has_state(self) -> bool:
        """Whether something would be lost without it."""
        return bool(self.handles) or self.enumerator is not None

    @property
    def has_finished(self) -> bool:
        """Whether all of it had come to its end."""
        return len(self.finished) == self.parallelism


class CheckpointTaken(StateError):
    """There is a checkpoint of somebody else where one was to be written."""


class NoCheckpoint(StateError):
    """There is no manifest at a path, so there is no checkpoint."""


class CheckpointOutOfReach(StateError):
    """Storage does not give a manifest that may be there."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """A completed checkpoint or savepoint."""

    checkpoint_id: int
    timestamp_ms: int
    job_id: str
    job_name: str
    is_savepoint: bool = False
    operators: dict[str, OperatorRecord] = field(default_factory=dict)

    @property
    def state_bytes(self) -> int:
        """The size of all state."""
        return sum(handle.size_bytes for record in self.operators.values() for handle in record.handles)


def encode_manifest(manifest: Manifest) -> bytes:
    """The content of ``_metadata``."""
    body = json.dumps(_as_json(manifest), indent=1, sort_keys=True).encode()
    return f"{_MAGIC} {FORMAT_VERSION} {len(body)} {checksum_of(body)}\n".encode() + body


def decode_manifest(content: bytes, path: str) -> Manifest:
    """The manifest again.

    :raises StateError: when it is of a newer format, was altered or cut off, or is something else.
    """
    head, _, body = content.partition(b"\n")
    words = head.decode("latin-1").split(" ")
    if len(words) != 4 or words[0] != _MAGIC:
        raise StateError(f"{path} is not the manifest of a checkpoint of penstock")
    if not words[1].isdigit() or int(words[1]) > FORMAT_VERSION:
        raise StateError(
            f"{path} has format version {words[1]}, and this version of penstock reads up to {FORMAT_VERSION}; "
            "use the version that wrote it, or a newer one"
        )
    if str(len(body)) != words[2] or checksum_of(body) != words[3]:
        raise StateError(f"{path} was altered or cut off: its checksum is not {words[3]}")
    return _from_json(json.loads(body))


def write_manifest(directory: str, manifest: Manifest) -> int:
    """Write ``_metadata`` as a whole: it is there with all its content, or not at all. Returns its size in bytes.

    :raises CheckpointTaken: where there is one already: another coordinator of the job, or another job, has written it.
    :raises OutsideError: when files of the checkpoint have vanished since they were written.
    """
    content = encode_manifest(manifest)
    path = f"{directory}/{MANIFEST_NAME}"
    if not is_local(path):
        write_in_place(path, content)
        return len(content)
    _check_files(CheckpointPlace(directory), manifest)
    if not create_file(path, content):
        raise CheckpointTaken(
            f"there is a checkpoint at {directory} already, which is not replaced; where it is another job's, let every "
            "job have a directory of its own, as execution.checkpointing.create-subdir does"
        )
    return len(content)


def _check_files(place: CheckpointPlace, manifest: Manifest) -> None:
    """A checkpoint whose directory was removed while it was being written does not come into being."""
    for record in manifest.operators.values():
        for handle in record.handles:
            for file in handle.files:
                if file.content is None and not exists(place.path_of(file.name)):
                    raise OutsideError(
                        f"{place.path_of(file.name)} has vanished before checkpoint {manifest.checkpoint_id} was complete; "
                        f"it held the state of {handle.owner}; somebody else removes files there"
                    )


def read_manifest(path: str) -> tuple[Manifest, CheckpointPlace]:
    """The manifest at a path, given as the directory or as the file itself, and the place of its files.

    :raises NoCheckpoint: when there is none.
    :raises CheckpointOutOfReach: when storage does not answer.
    :raises StateError: when it cannot be used.
    """
    directory = path.removesuffix("/").removesuffix("/" + MANIFEST_NAME)
    file = f"{directory}/{MANIFEST_NAME}"
    try:
        with outside_errors(file), open_file(file) as stream:
            content = stream.read()
    except OutsideError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            raise NoCheckpoint(f"there is no checkpoint or savepoint at {path}: {error.message}") from error
        raise CheckpointOutOfReach(
            f"the checkpoint or savepoint at {path} cannot be read: {error.message}"
        ) from error
    shared = directory.rpartition("/")[0] + "/shared"
    return decode_manifest(content, file), CheckpointPlace(directory, shared)


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "checkpoint_id": manifest.checkpoint_id,
        "timestamp_ms": manifest.timestamp_ms,
        "job_id": manifest.job_id,
        "job_name": manifest.job_name,
        "savepoint": manifest.is_savepoint,
        "operators": [_record_as_json(record) for record in manifest.operators.values()],
    }


def _record_as_json(record: OperatorRecord) -> dict[str, Any]:
    return {
        "id": record.operator_id,
        "name": record.name,
        "parallelism": record.parallelism,
        "max_parallelism": record.max_parallelism,
        "finished": list(record.finished),
        "enumerator": None if record.enumerator is None else b64encode(record.enumerator).decode(),
        "subtasks": [handle_as_json(handle) for handle in record.handles],
    }


def _from_json(body: dict[str, Any]) -> Manifest:
    operators = {entry["id"]: _record_from_json(entry) for entry in body["operators"]}
    return Manifest(
        body["checkpoint_id"],
        body["timestamp_ms"],
        body["job_id"],
        body["job_name"],
        body["savepoint"],
        operators,
    )


def _record_from_json(entry: dict[str, Any]) -> OperatorRecord:
    return OperatorRecord(
        entry["id"],
        entry["name"],
        entry["parallelism"],
        entry["max_parallelism"],
        tuple(handle_from_json(handle, entry) for handle in entry["subtasks"]),
        None if entry["enumerator"] is None else b64decode(entry["enumerator"]),
        tuple(entry["finished"]),
    )
