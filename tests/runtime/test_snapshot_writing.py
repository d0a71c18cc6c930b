"""How a worker's snapshots are written, and given up in the middle when nobody wants them any more."""

from collections import deque
from collections.abc import Callable, Iterator

import pytest

from penstock.checkpoint.place import CheckpointPlace
from penstock.contracts.state import EntryChunk, KeyedStateSnapshot, StateKind, StateMeta
from penstock.ids import SubtaskId
from penstock.operators.contract import OperatorSnapshot
from penstock.runtime.background import at_once
from penstock.runtime.messages import (
    CheckpointAcknowledged,
    CheckpointDeclined,
    FromWorker,
    TriggerCheckpoint,
)
from penstock.runtime.worker.snapshot_writing import SnapshotWriting
from tests.runtime.graphs import line_of

VERTEX = line_of(1).vertices[0]
SUBTASK = SubtaskId(VERTEX.id, 0)


class Entries:
    """Four chunks; something happens before the third, while they are written."""

    meta = StateMeta("count", StateKind.VALUE)

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self.given = 0

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        for number in range(4):
            if number == 2:
                self._meanwhile()
            self.given += 1
            yield EntryChunk([number], [number], [1])


def written(meanwhile: Callable[[SnapshotWriting], None]) -> tuple[Entries, FromWorker, int]:
    outbox: deque[FromWorker] = deque()
    writing = SnapshotWriting(outbox, lambda: None, at_once, {int(VERTEX.id): VERTEX})
    writing.triggered(TriggerCheckpoint(1, 0, CheckpointPlace(None)))
    entries, released = Entries(lambda: meanwhile(writing)), []
    keyed = KeyedStateSnapshot(128, {"count": entries}, on_release=lambda: released.append(1))
    snapshots = {chained.id: OperatorSnapshot(keyed=keyed) for chained in VERTEX.operators}
    writing._write(SUBTASK, snapshots, writing._triggers[1])
    writing.deliver()
    (message,) = outbox
    return entries, message, len(released)


def test_a_snapshot_is_written_to_its_end_and_let_go() -> None:
    entries, message, released = written(lambda writing: None)
    assert isinstance(message, CheckpointAcknowledged)
    assert (entries.given, released) == (4, 1)


@pytest.mark.parametrize("given_up", [lambda writing: writing.aborted(1), lambda writing: writing.close()])
def test_a_snapshot_that_nobody_wants_any_more_is_written_no_further(
    given_up: Callable[[SnapshotWriting], None],
) -> None:
    entries, message, released = written(given_up)
    assert isinstance(message, CheckpointDeclined)
    assert "given up" in str(message.error)
    assert (entries.given, released) == (3, 1)
