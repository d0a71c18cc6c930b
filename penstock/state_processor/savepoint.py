"""A savepoint or checkpoint opened for reading."""

from penstock.checkpoint.contents import OperatorContent, contents_of, role_of
from penstock.checkpoint.handles import FileRole
from penstock.checkpoint.manifest import Manifest, OperatorRecord, read_manifest
from penstock.checkpoint.place import CheckpointPlace
from penstock.errors import StateError
from penstock.state_processor.operator_identifier import OperatorIdentifier, identifier_of
from penstock.state_processor.saved_state import SavedState
from penstock.storage.reading import absolute_path

Operator = OperatorIdentifier | str


class Savepoint:
    """The operators and states of a savepoint, or of a retained checkpoint, of whatever backend; no job runs.

    >>> Savepoint.read("no/such/savepoint")
    Traceback (most recent call last):
    ...
    penstock.checkpoint.manifest.NoCheckpoint: there is no checkpoint or savepoint at ...
    """

    def __init__(self, manifest: Manifest, place: CheckpointPlace) -> None:
        self.manifest = manifest
        self.place = place

    @staticmethod
    def read(path: str) -> "Savepoint":
        """Open the savepoint or checkpoint at a path or URL.

        :raises StateError: when there is none, or it cannot be used.
        """
        return Savepoint(*read_manifest(absolute_path(path)))

    def operators(self) -> list[OperatorContent]:
        """What there is, by operator, from the manifest alone."""
        return contents_of(self.manifest)

    def state(self, operator: Operator, name: str) -> SavedState:
        """A state of an operator by its name: keyed, of windows (``window-contents``), or operator state.

        :raises StateError: when there is no such operator or state; the message names those that there are.
        """
        return self._state(operator, name, timers=False)

    def timers(self, operator: Operator, name: str = "user-timers") -> SavedState:
        """The timers of an operator: those that functions have set, or ``window-timers``."""
        return self._state(operator, name, timers=True)

    def record(self, operator: Operator) -> OperatorRecord:
        """What the manifest says of an operator; raises ``StateError`` when there is none of this identity."""
        identifier = identifier_of(operator)
        record = self.manifest.operators.get(identifier.uid_hash)
        if record is None:
            known = ", ".join(
                f"{each.name!r} ({each.operator_id})" for each in self.manifest.operators.values()
            )
            raise StateError(
                f"there is no operator {identifier} in {self.place.directory}; there are: {known or 'none'}"
            )
        return record

    def _state(self, operator: Operator, name: str, timers: bool) -> SavedState:
        record = self.record(operator)
        [content] = [each for each in self.operators() if each.operator_id == record.operator_id]
        found = {
            state.name: state
            for state in content.states
            if state.name and (role_of(state.kind) is FileRole.TIMERS) == timers
        }
        if name not in found:
            raise StateError(
                f"operator {record.name!r} has no {'timers' if timers else 'state'} {name!r} in {self.place.directory}; "
                f"there are: {', '.join(map(repr, found)) or 'none'}"
            )
        return SavedState(found[name], role_of(found[name].kind), self.place, record.handles)
