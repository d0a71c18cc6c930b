"""What a checkpoint knows of the state of one operator in one subtask, as data that travels and is written down."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from penstock.data.saved_classes import Reference


class FileRole(Enum):
    """What is in a file of a checkpoint."""

    KEYED = "keyed"
    TIMERS = "timers"
    OPERATOR = "operator"
    NATIVE = "native"
    """A file of the database that keyed state was in, which only the backend reads; ``state`` is its name there."""
    OWN = "own"
    """What the operator itself has to remember: a pickle."""
    PART = "part"
    """A long part of what the operator itself has to remember, for which its pickle has the name that is in ``state``."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """A file of a checkpoint. ``content`` is the file itself where checkpoints are kept in memory.

    ``state`` names the state that it is a part of, and ``columns`` say what a reader of Parquet finds in it. ``classes``:
    those in the pickle of what an operator itself remembers; see :mod:`penstock.data.saved_classes`.
    """

    name: str
    size_bytes: int
    checksum: str
    content: bytes | None = None
    role: FileRole = FileRole.OWN
    state: str = ""
    rows: int = 0
    columns: tuple[tuple[str, str], ...] = ()
    classes: tuple[Reference, ...] = ()


_IN_FLIGHT = "-in-flight"


def in_flight_id(operator_id: str) -> str:
    """The id under which a checkpoint holds what was on its way to an operator.

    >>> in_flight_id("ab12")
    'ab12-in-flight'
    """
    return operator_id + _IN_FLIGHT


def operator_of_in_flight(entry_id: str) -> str:
    """The operator that an entry of what was on its way belongs to.

    >>> operator_of_in_flight(in_flight_id("ab12"))
    'ab12'
    """
    return entry_id.removesuffix(_IN_FLIGHT)


def is_in_flight(operator_id: str) -> bool:
    """Whether an entry holds what was on its way, rather than the state of an operator."""
    return operator_id.endswith(_IN_FLIGHT)


@dataclass(frozen=True, slots=True)
class StateDescription:
    """A state that is in a snapshot, for checks before anything is read and for people.

    ``classes``: what is known of those in values that lie in files of a backend's own making; see
    :mod:`penstock.data.saved_classes`.
    """

    name: str
    kind: str
    type_text: str = ""
    ttl: bool = False
    classes: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorStateHandle:
    """The state of one operator in one subtask: its files by name, relative to the checkpoint, and what is in them."""

    operator_id: str
    operator_name: str
    subtask_index: int
    parallelism: int
    max_parallelism: int
    files: tuple[StateFile, ...]
    states: tuple[StateDescription, ...] = ()
    checkpoint_id: int = 0

    @property
    def owner(self) -> str:
        """Whose state it is, for errors."""
        return f"operator {self.operator_name!r}, subtask {self.subtask_index + 1}/{self.parallelism}"

    @property
    def size_bytes(self) -> int:
        """The size of all files."""
        return sum(file.size_bytes for file in self.files)


def handle_as_json(handle: OperatorStateHandle) -> dict[str, Any]:
    """The handle as it stands in a manifest."""
    from base64 import b64encode

    files = []
    for file in handle.files:
        entry: dict[str, Any] = {
            "name": file.name,
            "size": file.size_bytes,
            "checksum": file.checksum,
            "role": file.role.value,
            "state": file.state,
            "rows": file.rows,
            "columns": [list(column) for column in file.columns],
        }
        if file.content is not None:
            entry["content"] = b64encode(file.content).decode()
        if file.classes:
            entry["classes"] = list(file.classes)
        files.append(entry)
    states = [
        {"name": state.name, "kind": state.kind, "type": state.type_text, "ttl": state.ttl}
        | ({"classes": list(state.classes)} if state.classes else {})
        for state in handle.states
    ]
    return {
        "subtask": handle.subtask_index,
        "checkpoint_id": handle.checkpoint_id,
        "files": files,
        "states": states,
    }


def handle_from_json(entry: dict[str, Any], operator: dict[str, Any]) -> OperatorStateHandle:
    """The handle again; ``operator`` is what the manifest says of its operator."""
    from base64 import b64decode

    files = tuple(
        StateFile(
            file["name"],
            file["size"],
            file["checksum"],
            b64decode(file["content"]) if "content" in file else None,
            FileRole(file["role"]),
            file["state"],
            file["rows"],
            tuple((name, kind) for name, kind in file["columns"]),
            tuple(file.get("classes", ())),
        )
        for file in entry["files"]
    )
    states = tuple(
        StateDescription(
            state["name"], state["kind"], state["type"], state["ttl"], tuple(state.get("classes", ()))
        )
        for state in entry["states"]
    )
    return OperatorStateHandle(
        operator["id"],
        operator["name"],
        entry["subtask"],
        operator["parallelism"],
        operator["max_parallelism"],
        files,
        states,
        entry["checkpoint_id"],
    )
