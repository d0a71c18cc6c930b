"""What is in a checkpoint or savepoint, by operator and state: read from its manifest alone, which needs no pickle."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateDescription, StateFile
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.data.key_groups import key_group_range

OWN = "own"
ENUMERATOR = "enumerator"


@dataclass(frozen=True, slots=True)
class StateContent:
    """One state of an operator over all its subtasks. ``columns``: the Arrow type of each column, as text.

    ``kind`` is that of the state's description; ``own`` is what the operator itself remembers, ``enumerator`` what the
    enumerator of a source does.
    """

    name: str
    kind: str
    type_text: str
    has_ttl: bool
    rows: int
    size_bytes: int
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorContent:
    """What is there of one operator. ``key_groups``: the range of each subtask that has written keyed state."""

    operator_id: str
    name: str
    parallelism: int
    max_parallelism: int
    finished_subtasks: int
    states: tuple[StateContent, ...]
    key_groups: dict[int, range] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """The size of all its states."""
        return sum(state.size_bytes for state in self.states)


def contents_of(manifest: Manifest) -> list[OperatorContent]:
    """The operators of a checkpoint or savepoint, in the order of the job."""
    return [_content_of(record) for record in manifest.operators.values()]


_BY_KEY_GROUP = (FileRole.KEYED, FileRole.TIMERS, FileRole.NATIVE)


def _content_of(record: OperatorRecord) -> OperatorContent:
    states = list(_states_of(record.handles))
    if record.enumerator is not None:
        states.append(StateContent("", ENUMERATOR, "", False, 1, len(record.enumerator)))
    return OperatorContent(
        record.operator_id,
        record.name,
        record.parallelism,
        record.max_parallelism,
        len(record.finished),
        tuple(states),
        {
            handle.subtask_index: key_group_range(
                handle.max_parallelism, handle.parallelism, handle.subtask_index
            )
            for handle in record.handles
            if any(file.role in _BY_KEY_GROUP for file in handle.files)
        },
    )


def _states_of(handles: Iterable[OperatorStateHandle]) -> Iterable[StateContent]:
    described: dict[tuple[FileRole, str], StateDescription] = {}
    files: dict[tuple[FileRole, str], list[StateFile]] = {}
    for handle in handles:
        for state in handle.states:
            described[role_of(state.kind), state.name] = state
            files.setdefault((role_of(state.kind), state.name), [])
        for file in handle.files:
            files.setdefault((file.role, file.state), []).append(file)
    for (role, name), mine in files.items():
        if role is FileRole.NATIVE:
            continue  # all keyed states are in them together
        state = described.get((role, name), StateDescription(name, OWN))
        yield StateContent(
            name,
            state.kind,
            state.type_text,
            state.ttl,
            sum(file.rows for file in mine),
            sum(file.size_bytes for file in mine),
            tuple(dict.fromkeys(column for file in mine for column in file.columns)),
        )


def role_of(kind: str) -> FileRole:
    """In which files a state of a kind lies, the kind as the manifest has it.

    >>> role_of("value"), role_of("operator-union")
    (<FileRole.KEYED: 'keyed'>, <FileRole.OPERATOR: 'operator'>)
    """
    if kind == "timers":
        return FileRole.TIMERS
    return FileRole.OPERATOR if kind.startswith("operator-") else FileRole.KEYED
