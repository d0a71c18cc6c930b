"""What the rocksdb backend alone does: keys as bytes, working directories, the bound of its cache, cleaning up on disk."""

import datetime
import operator
import pickle
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.clock import ManualClock
from penstock.contracts.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateTtlConfig,
    ValueStateDescriptor,
)
from penstock.errors import OptionError, OutsideError, StateError
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.key_bytes import from_bytes, is_exact, to_bytes
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.state.rocksdb.working_directory import NAME_START, WorkingDirectory, remove_left_over
from penstock.windows.window import CountWindow, GlobalWindow, TimeWindow

SMALL = RocksDBSettings(memory_bytes=4 << 20, object_cache_bytes=1)


@dataclass(frozen=True)
class Point:
    x: int
    y: Any


class Pair(NamedTuple):
    a: Any
    b: Any


class Colour(Enum):
    RED = 1
    GREEN = 2


simple = st.one_of(
    st.integers(),
    st.integers(-2, 2),
    st.booleans(),
    st.floats(allow_nan=False),
    st.sampled_from([0.0, 1.0, -1.0, 0.5]),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.none(),
    st.decimals(allow_nan=False, allow_infinity=False, places=1, min_value=-3, max_value=3),
    st.fractions(min_value=-2, max_value=2, max_denominator=4),
    st.sampled_from(list(Colour)),
    st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 5)),
    st.datetimes(),
    st.builds(TimeWindow, st.integers(-3, 3), st.integers(-3, 3)),
    st.builds(CountWindow, st.integers(0, 3)),
    st.just(GlobalWindow()),
)
keys = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.tuples(inner),
        st.tuples(inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Point, st.integers(0, 2), inner),
        st.frozensets(inner, max_size=3),
    ),
    max_leaves=4,
)


@given(keys, keys)
def test_two_keys_have_the_same_bytes_exactly_when_they_are_equal(one: Any, other: Any) -> None:
    assert (to_bytes(one) == to_bytes(other)) == (one == other)
    assert to_bytes(one) == to_bytes(pickle.loads(pickle.dumps(one)))


@given(keys)
def test_what_is_exact_comes_back_as_it_was(key: Any) -> None:
    if is_exact(key):
        back = from_bytes(to_bytes(key))
        assert back == key
        assert type(back) is type(key)


def test_equal_values_of_different_types_are_one_key() -> None:
    class Word(str):
        __slots__ = ()

    for group in (
        [1, 1.0, True, Decimal(1), Fraction(1), 1 + 0j],
        [0.5, Decimal("0.5"), Fraction(1, 2)],
        ["a", Word("a")],
        [(1, "a"), Pair(True, "a")],
        [2**80, float(2**80), Decimal(2**80)],
        [uuid.UUID(int=5), uuid.UUID(int=5)],
        [
            datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC),
            datetime.datetime(2020, 1, 1, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        ],
    ):
        assert len({to_bytes(key) for key in group}) == 1, group


def test_a_key_is_given_back_with_the_type_it_had() -> None:
    backend = RocksDBKeyedStateBackend(8, settings=SMALL)
    table = backend.table(ReducingStateDescriptor("sum", operator.add))
    given_keys = [Pair("a", 1), Point(1, "x"), Decimal("1.5"), True, "text", Colour.RED]
    table.fold(given_keys, [1] * len(given_keys), operator.add)
    table.fold(given_keys, [1] * len(given_keys), operator.add)
    backend.snapshot().release()
    found = table.pane(None)
    assert {(type(key), key): value for key, value in found.items()} == {
        (type(key), key): 2 for key in given_keys
    }
    backend.close()


@pytest.mark.parametrize("to_disk", [True, False])
def test_each_backend_restores_what_the_other_wrote(to_disk: bool) -> None:
    def make(on_disk: bool) -> Any:
        return RocksDBKeyedStateBackend(8, settings=SMALL) if on_disk else HashMapStateBackend(8)

    old, new = make(not to_disk), make(to_disk)
    for key in range(50):
        old.current_key = key
        old.get_state(ValueStateDescriptor("value")).update(str(key))
        old.store(TimeWindow(0, key % 3)).get_list_state(ListStateDescriptor("list")).add_all([key, "x"])
        old.get_map_state(MapStateDescriptor("map")).put_all({"z": 1, "a": None, key: 2})
    new.restore([pickle.loads(pickle.dumps(old.snapshot()))], range(8))
    for key in range(50):
        new.current_key = key
        assert new.get_state(ValueStateDescriptor("value")).value() == str(key)
        window = new.store(TimeWindow(0, key % 3))
        assert window.get_list_state(ListStateDescriptor("list")).get() == [key, "x"]
        assert new.get_map_state(MapStateDescriptor("map")).items() == [("z", 1), ("a", None), (key, 2)]
    old.close()
    new.close()


def test_what_comes_after_a_snapshot_does_not_reach_it() -> None:
    backend = RocksDBKeyedStateBackend(8, settings=SMALL)
    backend.current_key = "a"
    state = backend.get_state(ValueStateDescriptor("v"))
    state.update(1)
    snapshot = backend.snapshot()
    state.update(2)
    backend.snapshot().release()
    assert [list(chunk.values) for chunk in snapshot.states["v"].chunks()] == [[1]]
    snapshot.release()
    with pytest.raises(StateError, match="has been released"):
        list(snapshot.states["v"].chunks())
    backend.close()


def test_a_large_map_is_not_read_to_change_one_entry() -> None:
    backend = RocksDBKeyedStateBackend(8, settings=SMALL)
    backend.current_key = "a"
    state = backend.get_map_state(MapStateDescriptor("m"))
    for number in range(2000):
        state.put(number, number)
    assert state.get(1234) == 1234
    state.put(1234, "new")
    state.remove(5)
    table: Any = backend.table(MapStateDescriptor("m"))
    assert len(table.map_of(None, "a").entries) < 10
    assert len(list(state.keys())) == 1999
    assert state.get(1234) == "new"
    backend.close()


def test_expired_entries_are_removed_from_the_disk_while_others_are_used() -> None:
    for descriptor, write in (
        (ValueStateDescriptor("s"), lambda state: state.update(1)),
        (ListStateDescriptor("s"), lambda state: state.add(1)),
        (MapStateDescriptor("s"), lambda state: state.put("x", 1)),
    ):
        clock = ManualClock(1000)
        backend = RocksDBKeyedStateBackend(8, clock=clock, settings=SMALL)
        descriptor.enable_time_to_live(StateTtlConfig.new_builder(100).build())
        state = backend.get_partitioned_state(None, descriptor)
        for key in range(300):
            backend.current_key = key
            write(state)
        clock.advance(60)
        backend.current_key = "young"
        write(state)
        clock.advance(60)
        for _ in range(200):
            backend.current_key = "none"
            state.clear()
        assert backend.keys("s") == ["young"]
        backend.close()


def test_directories_of_processes_that_died_are_removed_and_others_are_not(tmp_path: Path) -> None:
    living = WorkingDirectory(str(tmp_path))
    code = (
        "import os, sys; from penstock.state.rocksdb.working_directory import WorkingDirectory; "
        "kept = WorkingDirectory(sys.argv[1]); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    assert len(remove_left_over(str(tmp_path))) == 1
    assert [str(path) for path in tmp_path.iterdir()] == [living.path]
    other = WorkingDirectory(str(tmp_path))
    assert other.path != living.path
    assert remove_left_over(str(tmp_path)) == []
    other.close()
    living.close()
    assert list(tmp_path.iterdir()) == []
    assert NAME_START in living.path


def test_a_directory_that_is_being_made_is_not_taken_for_one_that_is_left_over(tmp_path: Path) -> None:
    made: list[WorkingDirectory] = []

    def make() -> None:
        made.extend(WorkingDirectory(str(tmp_path)) for _ in range(25))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 100
    assert all(Path(directory.path).is_dir() for directory in made)
    for directory in made:
        directory.close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match=r"working directory in .*file/x: .*localdir"):
        WorkingDirectory(str(tmp_path / "file" / "x"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"localdir": "relative/path"}, "not the absolute path"),
        ({"memory.fixed-per-tm": "1 mb"}, "at least 4 mb"),
        ({"memory.write-buffer-ratio": "1.5"}, "above 0 and below 1"),
        ({"predefined-options": "FAST"}, "one of DEFAULT"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        RocksDBSettings.of({f"state.backend.rocksdb.{key}": value for key, value in options.items()})


def test_the_settings_of_flink_are_read() -> None:
    settings = RocksDBSettings.of(
        {
            "state.backend.rocksdb.localdir": "/a,file:///b",
            "taskmanager.memory.managed.size": "64 mb",
            "state.backend.rocksdb.memory.object-cache": "2 mb",
        }
    )
    assert settings.directories == ("/a", "/b")
    assert (settings.memory_bytes, settings.object_cache_bytes) == (64 << 20, 2 << 20)
