"""What is in a checkpoint or savepoint, by operator and state: read from its manifest, which needs no pickle."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateDescription, StateFile
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.native_files import read_native
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.snapshot_files import read_checked
from penstock.contracts.state import OpenNative
from penstock.data.key_groups import key_group_range

OWN = "own"
NATIVE = "native"
ENUMERATOR = "enumerator"


@dataclass(frozen=True, slots=True)
class StateContent:
    """One state of an operator over all its subtasks. ``columns``: the Arrow type of each column, as text.

    ``kind`` is that of the state's description; ``own`` is what the operator itself remembers, ``enumerator`` what the
    enumerator of a source does, ``native`` the files of RocksDB that hold all keyed states together, and mostly the timers:
    those are ``is_native``, have no size of their own, and ``rows`` None as long as nobody has counted them.
    """

    name: str
    kind: str
    type_text: str
    has_ttl: bool
    rows: int | None
    size_bytes: int
    columns: tuple[tuple[str, str], ...] = ()
    is_native: bool = False


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
            of_own = file.role is FileRole.PART  # its name says nothing to anybody
            files.setdefault((FileRole.OWN, "") if of_own else (file.role, file.state), []).append(file)
    native_bytes = sum(
        file.size_bytes for (role, _), mine in files.items() if role is FileRole.NATIVE for file in mine
    )
    for (role, name), mine in files.items():
        if role is FileRole.NATIVE:
            continue  # all keyed states are in them together
        state = described.get((role, name), StateDescription(name, OWN))
        is_native = native_bytes > 0 and not mine and role in (FileRole.KEYED, FileRole.TIMERS)
        yield StateContent(
            name,
            state.kind,
            state.type_text,
            state.ttl,
            None if is_native else sum(file.rows for file in mine),
            sum(file.size_bytes for file in mine),
            tuple(dict.fromkeys(column for file in mine for column in file.columns)),
            is_native,
        )
    if native_bytes:
        yield StateContent("", NATIVE, "", False, None, native_bytes, is_native=True)


def counted(
    contents: Iterable[OperatorContent], manifest: Manifest, place: CheckpointPlace, open_native: OpenNative
) -> list[OperatorContent]:
    """The same with the rows that are in files of RocksDB; all of them are read for it.

    :raises StateError: when a file was altered, or is of a newer version.
    """
    return [
        _counted(content, manifest.operators[content.operator_id], place, open_native) for content in contents
    ]


def _counted(
    content: OperatorContent, record: OperatorRecord, place: CheckpointPlace, open_native: OpenNative
) -> OperatorContent:
    if not any(state.is_native for state in content.states):
        return content
    rows: dict[tuple[FileRole, str], int] = {}
    for handle in record.handles:
        for entries in read_native(place, handle, read_checked, handle.owner, open_native):
            state_of = role_of(entries.meta.kind.value), entries.meta.name
            rows[state_of] = rows.get(state_of, 0) + entries.count()
    states = tuple(
        replace(state, rows=rows.get((role_of(state.kind), state.name), 0))
        if state.is_native and state.kind != NATIVE
        else state
        for state in content.states
    )
    return replace(content, states=states)


def role_of(kind: str) -> FileRole:
    """In which files a state of a kind lies, the kind as the manifest has it.

    >>> role_of("value"), role_of("operator-union")
    (<FileRole.KEYED: 'keyed'>, <FileRole.OPERATOR: 'operator'>)
    """
    if kind == "timers":
        return FileRole.TIMERS
    return FileRole.OPERATOR if kind.startswith("operator-") else FileRole.KEYED
