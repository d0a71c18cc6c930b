"""What a writer keeps of an epoch until it is committed: compressed, in memory or in files, and in checkpoints once."""

import gc
import pickle
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from penstock.checkpoint.handles import FileRole, OperatorStateHandle
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.connectors.kafka import epochs
from penstock.connectors.kafka.epochs import Epoch, EpochRecords, WriterName
from penstock.connectors.kafka.serialization import ProducerRecord
from penstock.errors import StateError
from penstock.operators.commits import Committable
from penstock.operators.contract import KeptTogether, OperatorSnapshot

SUBTASK = SubtaskPlace(0, 1, 16)


def batch(number: int, count: int = 100) -> list[ProducerRecord]:
    return [
        ProducerRecord("t", b"%d %d" % (number, n), None if n % 2 else b"k", n, None, (("h", None),))
        for n in range(count)
    ]


def filled(batches: int) -> EpochRecords:
    records = EpochRecords()
    for number in range(batches):
        records.add(batch(number))
    return records


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Room for a few batches; whatever others have in memory is not counted."""
    gc.collect()
    monkeypatch.setattr(epochs, "IN_MEMORY_BYTES", 4_000)
    monkeypatch.setattr(epochs._Room, "_taken_bytes", 0)
    epochs._Room._given_back.clear()
    yield
    epochs._Room._given_back.clear()


@pytest.mark.parametrize("batches", [0, 1, 100])
def test_records_come_back_as_they_were(little_room: None, batches: int) -> None:
    records = filled(batches)
    assert records.is_in_file == (batches == 100)
    expected = [batch(number) for number in range(batches)]
    assert list(records.batches()) == expected
    assert list(pickle.loads(pickle.dumps(records)).batches()) == expected


def test_memory_is_shared_by_all_epochs_and_given_back(little_room: None) -> None:
    first = EpochRecords()
    while not first.is_in_file:
        first.add(batch(0))
    second = filled(1)
    assert not second.is_in_file, "what the first had is free again"
    third = filled(2)
    while not third.is_in_file and not second.is_in_file:
        third.add(batch(0))
    assert third.is_in_file
    del second
    assert not filled(2).is_in_file


def test_several_threads_read_at_once(little_room: None) -> None:
    records = filled(50)
    assert records.is_in_file
    found: list[list[list[ProducerRecord]]] = []
    threads = [Thread(target=lambda: found.append(list(records.batches()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[batch(number) for number in range(50)]] * 4


def epoch(number: int, records: EpochRecords) -> Epoch:
    return Epoch(WriterName("p", 0), "p-0-0-0", ("t",), number, str(number), "run", records)


def written(place: CheckpointPlace, *waiting: Epoch) -> OperatorStateHandle:
    own = KeptTogether(Committable(each.number, each) for each in waiting)
    return write_operator_snapshot(place, OperatorSnapshot(own=own), "op", "sink", SUBTASK)


def test_an_epoch_that_waits_over_several_checkpoints_is_stored_once(tmp_path: Path) -> None:
    waiting: list[Epoch] = []
    places, handles = [], []
    for number in range(5):
        waiting.append(epoch(number, filled(20)))
        places.append(CheckpointPlace(f"{tmp_path}/chk-{number}", f"{tmp_path}/shared"))
        handles.append(written(places[-1], *waiting))
    own_bytes = [
        sum(file.size_bytes for file in handle.files if file.role is FileRole.OWN) for handle in handles
    ]
    assert max(own_bytes) < 1.5 * own_bytes[0], "only what is new is in the checkpoint's own file"
    assert len(list((tmp_path / "shared").iterdir())) == 4
    snapshot = read_operator_snapshot(places[-1], handles[-1:], SUBTASK)
    assert snapshot is not None
    restored = [entry.value for entry in snapshot.own]
    assert restored == waiting
    assert [list(each.records.batches()) for each in restored] == [[batch(n) for n in range(20)]] * 5


def test_an_epoch_whose_file_was_altered_is_never_written_as_a_whole(tmp_path: Path) -> None:
    waiting = epoch(1, filled(20))
    for number in range(2):
        place = CheckpointPlace(f"{tmp_path}/chk-{number}", f"{tmp_path}/shared")
        handle = written(place, waiting)
    (path,) = (tmp_path / "shared").iterdir()
    content = path.read_bytes()
    for place_of_fault in (0, 4, 20, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:place_of_fault] + b"\xee" + content[place_of_fault + 1 :])
        snapshot = read_operator_snapshot(place, [handle], SUBTASK)
        assert snapshot is not None
        with pytest.raises(StateError, match="altered or cut off"):
            list(snapshot.own[0].value.records.batches())
