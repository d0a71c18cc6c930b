"""What would become of each operator's state if a program started from a checkpoint or savepoint; nothing is run for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from penstock.checkpoint.class_changes import ClassChange, changes_of, class_changes
from penstock.checkpoint.contents import OperatorContent, contents_of
from penstock.checkpoint.handles import FileRole, is_in_flight
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.restore_check import check_restore, operators_by_id
from penstock.checkpoint.restored_maxima import with_saved_maxima
from penstock.checkpoint.snapshot_files import read_checked
from penstock.dataflow.job import ChainedOperator, JobGraph, JobVertex
from penstock.errors import StateError
from penstock.operators.checkpointed import takes_part
from penstock.operators.contract import Origin
from penstock.operators.source import SourceSpec


class Fate(Enum):
    """What becomes of the state of one operator."""

    RESTORED = "restored"
    MIGRATED = "migrated"
    LOST = "lost"
    EMPTY = "begins empty"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A state that is declared otherwise now. ``problem`` says why what is stored cannot be had so, None where it can."""

    text: str
    problem: str | None = None

    def __str__(self) -> str:
        return self.text if self.problem is None else self.problem


@dataclass(frozen=True, slots=True)
class Declared:
    """What an operator declares when it is opened, beside what was saved of it. ``remarks``: what is good to know, and
    changes nothing. ``unseen``: why it is not known, where it is not."""

    changes: tuple[StateChange, ...] = ()
    remarks: tuple[str, ...] = ()
    unseen: str = ""


Declare = Callable[[CheckpointPlace, JobVertex, ChainedOperator, OperatorRecord], Declared]


@dataclass(frozen=True, slots=True)
class OperatorFate:
    """One operator: what is saved of it, and what has changed. ``content`` None where nothing is."""

    operator_id: str
    name: str
    fate: Fate
    content: OperatorContent | None = None
    changes: tuple[ClassChange | StateChange, ...] = ()
    origin: Origin | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """All operators with state, on one side or the other; ``problems`` keep the program from starting."""

    operators: tuple[OperatorFate, ...]
    problems: tuple[str, ...]

    @property
    def can_start(self) -> bool:
        """Whether the program can start from it."""
        return not self.problems


def restore_report(
    manifest: Manifest,
    place: CheckpointPlace,
    graph: JobGraph,
    allow_non_restored_state: bool,
    declare: Declare | None = None,
) -> RestoreReport:
    """Compare what was saved with what is to run; ``declare`` finds out what an operator declares when it is opened.

    :raises StateError: when a file of the checkpoint was altered.
    """
    wanted = operators_by_id(graph)
    fates: list[OperatorFate] = []
    problems: list[str] = []
    contents = {content.operator_id: content for content in contents_of(manifest)}
    for record in manifest.operators.values():
        if not record.has_state or is_in_flight(record.operator_id):
            continue
        found = wanted.get(record.operator_id)
        content = contents[record.operator_id]
        if found is None:
            fates.append(OperatorFate(record.operator_id, record.name, Fate.LOST, content))
            continue
        made = _fate_of(record, content, found, place, declare)
        problems += [f"operator {made.name!r}: {change}" for change in made.changes if change.problem]
        fates.append(made)
    for vertex in graph.vertices:
        for chained in vertex.operators:
            saved = manifest.operators.get(chained.id)
            if (saved is None or not saved.has_state) and _keeps_state(chained):
                fates.append(OperatorFate(chained.id, chained.name, Fate.EMPTY, origin=chained.origin))
    try:
        check_restore(
            manifest, with_saved_maxima(graph, manifest), place.directory or "", allow_non_restored_state
        )
    except StateError as error:
        problems.insert(0, error.message)
    return RestoreReport(tuple(fates), tuple(problems))


def _fate_of(
    record: OperatorRecord,
    content: OperatorContent,
    wanted: tuple[JobVertex, ChainedOperator],
    place: CheckpointPlace,
    declare: Declare | None,
) -> OperatorFate:
    vertex, chained = wanted
    changes: tuple[ClassChange | StateChange, ...] = tuple(_changes(record, place))
    remarks: tuple[str, ...] = ()
    if declare is not None and chained.id == record.operator_id and _declares_when_opened(chained):
        if any(change.problem for change in changes):
            found = Declared(unseen="what is stored cannot be read")
        else:
            found = declare(place, vertex, chained, record)
        changes += found.changes
        remarks = found.remarks
        if found.unseen:
            remarks += (f"what it declares in open was not seen: {found.unseen}",)
    fate = Fate.MIGRATED if changes else Fate.RESTORED
    return OperatorFate(record.operator_id, chained.name, fate, content, changes, chained.origin, remarks)


def _declares_when_opened(chained: ChainedOperator) -> bool:
    """Not sources and sinks: those open what is outside, too, and have states of their own alone."""
    return _keeps_state(chained) and not isinstance(chained.spec, SourceSpec) and not chained.spec.ends_stream


def _changes(record: OperatorRecord, place: CheckpointPlace) -> Iterator[ClassChange]:
    seen: set[ClassChange] = set()
    for handle in record.handles:
        found = changes_of(reference for state in handle.states for reference in state.classes)
        found += changes_of(reference for file in handle.files for reference in file.classes)
        for file in handle.files:
            if file.role not in (FileRole.OWN, FileRole.PART, FileRole.NATIVE):
                found += class_changes(read_checked(place, file, handle.owner), file.state)
        for change in found:
            if change not in seen:
                seen.add(change)
                yield change


def _keeps_state(chained: ChainedOperator) -> bool:
    spec = chained.spec
    return (
        spec.uses_keyed_state
        or isinstance(spec, SourceSpec)
        or any(takes_part(function) for function in spec.user_functions())
    )
