"""Classes of values that lie in checkpoints as pickles change between two runs: in columns of mixed types, and in RocksDB."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.class_problems import class_problems
from penstock.checkpoint.handles import OperatorStateHandle, handle_as_json, handle_from_json
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.place import CheckpointPlaces
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.restore_report import restore_report
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.contracts.state import MapStateDescriptor, ValueStateDescriptor
from penstock.errors import StateError
from penstock.operators.commits import Committable
from penstock.operators.contract import KeptTogether, OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from tests.checkpoint.test_restored_maxima import job, keyed
from tests.data.changing_module import ChangingModule

GROUPS = 8
VALUE, MAP = ValueStateDescriptor("value"), MapStateDescriptor("map")
BEFORE = """
@dataclass
class Order:
    number: int
    went: str = ""

class Point(NamedTuple):
    x: int
    y: int
"""
AFTER = """
@dataclass
class Order:
    number: int
    parts: list = field(default_factory=list)

class Point(NamedTuple):
    y: int
    z: int = 9
    x: int = 0
"""
WITHOUT_DEFAULT = BEFORE.replace("    number: int\n", "    number: int\n    city: str\n")


class Saved:
    """An operator's state on either backend, with values of classes that are pickled."""

    def __init__(self, folder: Path, module: ChangingModule) -> None:
        self.module = module
        self.settings = RocksDBSettings((str(folder / "local"),), 4 << 20, is_incremental=True)
        self.places = CheckpointPlaces(str(folder / "job"), False, 1)
        self.place = self.places.of_checkpoint(0)
        self.number = 0
        self.handles: tuple[OperatorStateHandle, ...] = ()

    def backend(self, on_disk: bool, parallelism: int = 1, index: int = 0) -> Any:
        groups = SubtaskPlace(index, parallelism, GROUPS).key_groups
        if on_disk:
            return RocksDBKeyedStateBackend(GROUPS, groups, settings=self.settings)
        return HashMapStateBackend(GROUPS, groups)

    def save(self, on_disk: bool, source: str = BEFORE) -> None:
        shop, backend = self.module.write(source), self.backend(on_disk)
        for key in range(20):
            backend.current_key = key
            # Not of one type, so that they are no columns either.
            backend.get_state(VALUE).update(shop.Order(key) if key % 2 else [shop.Point(key, -key)])
            backend.get_map_state(MAP).put("order", shop.Order(key))
            backend.get_map_state(MAP).put("text", "text")
        self.write(backend)

    def write(self, backend: Any) -> None:
        self.number += 1
        self.place = self.places.of_checkpoint(self.number)
        snapshot = backend.snapshot(self.number)
        state = OperatorSnapshot(keyed=snapshot, checkpoint_id=self.number)
        handle = write_operator_snapshot(self.place, state, "o", "op", SubtaskPlace(0, 1, GROUPS))
        snapshot.release()
        backend.close()
        # As it comes back out of a manifest.
        operator = {"id": "o", "name": "op", "parallelism": 1, "max_parallelism": GROUPS}
        self.handles = (handle_from_json(handle_as_json(handle), operator),)

    def remember(self, own: Any) -> None:
        """Save what an operator itself remembers."""
        state = OperatorSnapshot(own=own, checkpoint_id=1)
        handle = write_operator_snapshot(self.place, state, "o", "op", SubtaskPlace(0, 1, GROUPS))
        operator = {"id": "o", "name": "op", "parallelism": 1, "max_parallelism": GROUPS}
        self.handles = (handle_from_json(handle_as_json(handle), operator),)

    def remembered(self) -> Any:
        """The same again."""
        found = read_operator_snapshot(self.place, self.handles, SubtaskPlace(0, 1, GROUPS))
        assert found is not None
        return found.own

    def restored(self, on_disk: bool, parallelism: int = 1, index: int = 0) -> Any:
        new = self.backend(on_disk, parallelism, index)
        subtask = SubtaskPlace(index, parallelism, GROUPS)
        snapshot = read_operator_snapshot(self.place, self.handles, subtask, partial(open_rocksdb_files, {}))
        assert snapshot is not None
        assert snapshot.keyed is not None
        try:
            new.restore([snapshot.keyed], subtask.key_groups)
        except BaseException:
            new.close()
            raise
        return new

    def content(self, backend: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        values = dict(backend.table(VALUE).pane(None).items())
        maps = {key: dict(pairs) for key, pairs in backend.table(MAP).pane(None).items()}
        return values, maps


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saved:
    return Saved(tmp_path, ChangingModule(monkeypatch))


BOTH_WAYS = pytest.mark.parametrize(
    ("written", "read"), [(True, True), (True, False), (False, True), (False, False)]
)


@BOTH_WAYS
@pytest.mark.parametrize("parallelism", [1, 2])
def test_fields_come_with_their_defaults_and_go(
    written: bool, read: bool, parallelism: int, saved: Saved
) -> None:
    saved.save(written)
    shop = saved.module.write(AFTER)
    values: dict[Any, Any] = {}
    maps: dict[Any, Any] = {}
    for index in range(parallelism):
        backend = saved.restored(read, parallelism, index)
        found = saved.content(backend)
        values |= found[0]
        maps |= found[1]
        backend.close()
    assert values == {key: shop.Order(key) if key % 2 else [shop.Point(y=-key, x=key)] for key in range(20)}
    assert maps == {key: {"order": shop.Order(key), "text": "text"} for key in range(20)}
    assert not any(hasattr(each["order"], "went") for each in maps.values())


@BOTH_WAYS
def test_values_that_were_not_touched_since_are_read_after_the_next_change_too(
    written: bool, read: bool, saved: Saved
) -> None:
    saved.save(written)
    saved.module.write(AFTER)
    backend = saved.restored(read)
    backend.current_key = 0
    backend.get_state(VALUE).update("touched")
    saved.write(backend)
    shop = saved.module.write(AFTER.replace("z: int = 9", "w: str = 'w'\n    z: int = 0"))
    backend = saved.restored(read)
    values, _ = saved.content(backend)
    backend.close()
    assert values[0] == "touched"
    assert values[2] == [shop.Point(y=-2, w="w", z=9, x=2)]
    assert values[3] == shop.Order(3)


def test_files_are_taken_as_they_are_where_no_class_has_changed(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("an entry was put in by itself")

    saved.save(on_disk=True)
    monkeypatch.setattr("penstock.state.rocksdb.backend.load_entries", refuse)
    backend = saved.restored(on_disk=True)
    saved.write(backend)
    monkeypatch.undo()
    # What is known of the classes has gone on, though no value was pickled again.
    assert {each["class"] for state in saved.handles[0].states for each in state.classes} == {
        "Order",
        "Point",
    }


@BOTH_WAYS
def test_a_field_without_a_default_is_told_before_any_value_is_used(
    written: bool, read: bool, saved: Saved
) -> None:
    saved.save(written)
    saved.module.write(WITHOUT_DEFAULT)
    with pytest.raises(
        StateError, match=r"shop\.Order was saved with .* now has 'city' too, which has no default"
    ):
        saved.restored(read)
    problem = "shop.Order has the field 'city' now, which has no default"
    assert class_problems(saved.handles, saved.place) == [
        f"operator 'op', state 'value': {problem}",
        f"operator 'op', state 'map': {problem}",
    ]


def test_classes_in_what_an_operator_itself_remembers_may_have_other_fields(saved: Saved) -> None:
    shop = saved.module.write(BEFORE)
    saved.remember(KeptTogether([shop.Order(1), Committable(1, (shop.Point(1, 2), shop.Order(2)))]))
    shop = saved.module.write(AFTER)
    order, committable = saved.remembered()
    assert order == shop.Order(1)
    assert not hasattr(order, "went")
    assert committable == Committable(1, (shop.Point(y=2, x=1), shop.Order(2)))
    assert class_problems(saved.handles, saved.place) == []
    saved.module.write(WITHOUT_DEFAULT)
    with pytest.raises(
        StateError, match=r"shop\.Order was saved with .* now has 'city' too, which has no default"
    ):
        saved.remembered()
    assert class_problems(saved.handles, saved.place) == [
        "operator 'op', what it remembers itself: shop.Order has the field 'city' now, which has no default"
    ]


def test_the_report_names_changes_in_what_an_operator_itself_remembers(saved: Saved) -> None:
    saved.remember([saved.module.write(BEFORE).Point(1, 2)])
    saved.module.write(AFTER)
    graph = job(1, GROUPS)
    operator = keyed(graph).operators[0].id
    record = OperatorRecord(operator, "op", 1, GROUPS, saved.handles)
    manifest = Manifest(1, 0, "j", "job", operators={operator: record})
    (fate, *_) = restore_report(manifest, saved.place, graph, False).operators
    assert list(map(str, fate.changes)) == ["shop.Point: z comes with its default"]


@pytest.mark.parametrize("written", [True, False])
def test_the_report_names_what_comes_and_what_goes(written: bool, saved: Saved) -> None:
    saved.save(written)
    graph = job(1, GROUPS)
    operator = keyed(graph).operators[0].id
    record = OperatorRecord(operator, "op", 1, GROUPS, saved.handles)
    manifest = Manifest(1, 0, "j", "job", operators={operator: record})
    assert restore_report(manifest, saved.place, graph, False).operators[0].changes == ()
    saved.module.write(AFTER)
    (fate, *_) = restore_report(manifest, saved.place, graph, False).operators
    assert sorted(map(str, fate.changes)) == [
        "shop.Order: parts comes with its default, went is dropped",
        "shop.Point: z comes with its default",
    ]
    saved.module.write("class Other: pass")
    problems = restore_report(manifest, saved.place, graph, False).problems
    assert any(
        "a value of the class shop.Order cannot be read: there is no such class any more" in each
        for each in problems
    )
