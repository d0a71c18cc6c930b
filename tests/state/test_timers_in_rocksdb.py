"""Timers in RocksDB are those that there would be on the heap, whatever of them is in memory, noted, or being saved."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.checkpoint.handles import FileRole, OperatorStateHandle
from penstock.checkpoint.place import CheckpointPlaces
from penstock.checkpoint.redistribution import SubtaskPlace
from penstock.checkpoint.snapshot_files import read_operator_snapshot, write_operator_snapshot
from penstock.contracts.state import ReducingStateDescriptor, ValueStateDescriptor
from penstock.data.keys import key_group, key_group_range
from penstock.errors import OptionError, StateError, TypeMismatch
from penstock.operators.contract import OperatorSnapshot
from penstock.state.hashmap.backend import HashMapStateBackend
from penstock.state.native_entries import open_rocksdb_files
from penstock.state.rocksdb import timer_queue
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.state.timers import KeyedTimers, TimerQueue
from penstock.windows.window import TimeWindow

GROUPS = 8
COUNT = ReducingStateDescriptor("count", lambda a, b: a + b)
VALUE = ValueStateDescriptor("value")


@dataclass(frozen=True)
class Place:
    x: int


keys = st.sampled_from([0, 1, 2, "a", "b", ("t", 1), True, 2.5, None, Place(1), Place(2)])
namespaces = st.sampled_from([None, TimeWindow(0, 5), TimeWindow(5, 9), 1, Place(3)])
times = st.integers(-3, 6)
acts = st.tuples(
    st.sampled_from(
        [
            "register", "register", "register", "register many", "delete", "advance", "advance a little", "take", "write",
            "write some", "give up", "records", "first", "change states",
        ]
    ),
    keys, namespaces, times,
)  # fmt: skip


@contextmanager
def few_notes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timer_queue, "NOTES", 4)
        patch.setattr(timer_queue, "MOST_NOTES", 12)
        patch.setattr(timer_queue, "ENTRIES_PER_BATCH", 2)
        yield


def backend_with(near: int, **more: Any) -> RocksDBKeyedStateBackend:
    return RocksDBKeyedStateBackend(
        GROUPS,
        settings=RocksDBSettings(
            memory_bytes=4 << 20, object_cache_bytes=1, timers_per_key_group=near, **more
        ),
    )


def by_time(fired: list[Any]) -> dict[int, set[Any]]:
    """What has fired, in the order in which the times came; no timer twice."""
    found: dict[int, set[Any]] = {}
    for time, key, namespace in fired:
        found.setdefault(time, set()).add((key, namespace))
    assert sum(map(len, found.values())) == len(fired)
    assert list(found) == sorted(found)
    return found


def written(entries: Any) -> set[Any]:
    found: list[Any] = []
    for chunk in entries.chunks():
        namespaces = chunk.namespaces or [None] * len(chunk)
        for group, key, namespace, (domain, time) in zip(
            chunk.key_groups, chunk.keys, namespaces, chunk.values, strict=True
        ):
            assert group == key_group(key, GROUPS)
            found.append((domain, time, key, namespace))
    assert len(found) == len(set(found))
    return set(found)


@settings(deadline=None, max_examples=60)
@given(st.lists(acts, max_size=60), st.sampled_from([1, 128]))
def test_they_fire_and_are_saved_as_on_the_heap(program: list[Any], near: int) -> None:
    check(program, near)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(deadline=None, max_examples=1500)
@given(st.lists(acts, max_size=80), st.sampled_from([1, 2, 128]))
def test_many_programs_fire_and_are_saved_as_on_the_heap(program: list[Any], near: int) -> None:
    check(program, near)


def check(program: list[Any], near: int) -> None:
    backend, heap = backend_with(near), KeyedTimers("t", GROUPS)
    stored = backend.timers("t")
    pending: list[Any] = []
    with few_notes():
        for act, key, namespace, time in program:
            match act:
                case "register" | "delete":
                    for timers in (stored, heap):
                        getattr(timers, f"{act}_event_time_timer")(key, namespace, time)
                        getattr(timers, f"{act}_processing_time_timer")(key, namespace, time + 1)
                case "register many":
                    for number in range(20):
                        stored.register_event_time_timer(number, namespace, time)
                        heap.register_event_time_timer(number, namespace, time)
                case "advance":
                    fired, expected = stored.advance_watermark(time), heap.advance_watermark(time)
                    assert by_time(list(fired)) == by_time(list(expected))
                case "advance a little":
                    for timer in islice(stored.advance_processing_time(time), 2):
                        heap.delete_processing_time_timer(*timer[1:], timer[0])
                case "first":
                    assert stored.next_processing_time() == heap.next_processing_time()
                case "change states":
                    backend.current_key = key
                    backend.get_state(VALUE).update(time)
                    backend.get_reducing_state(COUNT).add(time)
                case "records":
                    backend.after_records(1)
                case "take":
                    snapshot = backend.snapshot()
                    pending.append((snapshot, stored.snapshot(), written(heap.snapshot())))
                case _:
                    pending = after(act, backend, pending)
        assert stored.next_processing_time() == heap.next_processing_time()
        for snapshot, entries, expected in pending:
            assert written(entries) == expected
            snapshot.release()
        for domain in ("watermark", "processing_time"):
            fired = getattr(stored, f"advance_{domain}")(10)
            assert by_time(list(fired)) == by_time(list(getattr(heap, f"advance_{domain}")(10)))
        assert stored.next_processing_time() is None
    backend.close()


def after(act: str, backend: Any, pending: list[Any]) -> list[Any]:
    """The snapshots that are still to be written after a step of their own."""
    match act:
        case "write" if pending:
            snapshot, entries, expected = pending.pop(0)
            assert written(entries) == expected
            assert written(pickle.loads(pickle.dumps(entries))) == expected
            snapshot.release()
        case "write some" if backend._database.is_waiting:
            backend._database._moment.step()
        case "give up" if pending:
            pending.pop()[0].release()
    return pending


whiles = st.lists(st.tuples(st.sampled_from(["register", "delete", "first"]), keys, times), max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(keys, times), max_size=30), st.lists(whiles, max_size=30))
def test_timers_that_are_set_and_deleted_while_others_fire_count(
    first: list[Any], while_firing: list[Any]
) -> None:
    backend, model = backend_with(1), set[Any]()
    timers = backend.timers("t")
    with few_notes():
        for key, time in first:
            timers.register_processing_time_timer(key, None, time)
            model.add((time, key, None))
        for timer in timers.advance_processing_time(3):
            assert timer[0] == min(time for time, _, _ in model)
            model.remove(timer)
            for act, key, time in while_firing.pop() if while_firing else ():
                match act:
                    case "register":
                        timers.register_processing_time_timer(key, None, time)
                        model.add((time, key, None))
                    case "delete":
                        timers.delete_processing_time_timer(key, None, time)
                        model.discard((time, key, None))
                    case "first":
                        expected = min((time for time, _, _ in model), default=None)
                        assert timers.next_processing_time() == expected
        assert all(time > 3 for time, _, _ in model)
        assert set(timers.advance_processing_time(10)) == model
    backend.close()


def test_of_many_timers_few_are_in_memory() -> None:
    backend = backend_with(1)
    timers: Any = backend.timers("t")
    for number in range(20_000):
        timers.register_event_time_timer(number, None, 60_000 + number % 7)
    queue = timers.event_time
    assert len(queue._near) <= GROUPS
    assert len(queue._notes) <= timer_queue.NOTES
    fired = []
    for timer in timers.advance_watermark(70_000):
        fired.append(timer)
        assert len(queue._near) <= GROUPS + timer_queue.NOTES
    assert len(fired) == 20_000
    assert fired == sorted(fired, key=lambda timer: timer[0])
    assert {key for _, key, _ in fired} == set(range(20_000))
    backend.close()


def test_to_ask_for_the_next_timer_costs_little_where_more_than_are_near_are_due_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moves: list[int] = []
    keep_first = TimerQueue.keep_first

    def counted(queue: TimerQueue, count: int) -> Any:
        moves.append(count)
        return keep_first(queue, count)

    monkeypatch.setattr(TimerQueue, "keep_first", counted)
    backend = backend_with(16)
    timers = backend.timers("t")
    for number in range(6_000):
        timers.register_processing_time_timer(number, None, 60_000)
        assert timers.next_processing_time() == 60_000
    assert 0 < len(moves) < 100
    assert {key for _, key, _ in timers.advance_processing_time(60_000)} == set(range(6_000))
    backend.close()


def test_a_timer_that_fires_soon_never_comes_to_the_database() -> None:
    backend = backend_with(128)
    timers: Any = backend.timers("t")
    for time in range(20_000):
        timers.register_event_time_timer("key", None, time)
        assert list(timers.advance_watermark(time)) == [(time, "key", None)]
    assert not timers.event_time._has_stored
    backend.close()


def test_what_is_no_time_is_refused_as_on_the_heap() -> None:
    backend = backend_with(1)
    timers = backend.timers("t")
    for wrong in (1.5, "x", None, 2**63, -(2**63) - 1):
        with pytest.raises(TypeMismatch, match="a timer was registered for"):
            timers.register_event_time_timer("a", None, wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unhashable"):
        timers.register_event_time_timer([], None, 1)
    timers.delete_event_time_timer("a", None, 2**63)
    assert list(timers.advance_watermark(2**63 - 1)) == []
    backend.close()


def test_a_key_of_another_subtask_is_found_when_it_is_saved() -> None:
    backend = RocksDBKeyedStateBackend(GROUPS, range(key_group("a", GROUPS) + 1, GROUPS))
    timers = backend.timers("t")
    timers.register_event_time_timer("a", None, 1)
    snapshot, entries = backend.snapshot(), timers.snapshot()
    with pytest.raises(StateError, match=r"timers 't' hold key 'a' of key group \d"):
        list(entries.chunks())
    snapshot.release()
    backend.close()


def test_a_key_that_cannot_be_pickled_is_named() -> None:
    backend = backend_with(1)
    timers = backend.timers("t")
    timers.register_event_time_timer(UnsavableKey(), None, 1)
    snapshot, entries = backend.snapshot(), timers.snapshot()
    with pytest.raises(StateError, match=r"timers 't' cannot be saved: the key UnsavableKey.*no way"):
        list(entries.chunks())
    snapshot.release()
    backend.close()


@dataclass(frozen=True)
class UnsavableKey:
    x: int = 1

    def __reduce__(self) -> Any:
        raise TypeError("no way")


def test_timers_are_saved_after_the_state_of_their_operator() -> None:
    backend = backend_with(1)
    with pytest.raises(StateError, match="saved with the keyed state of their operator"):
        backend.timers("t").snapshot()
    backend.close()


# Checkpoints ------------------------------------------------------------------------------------------------------------


ALL_KEYS = [number if number % 3 else Place(number) for number in range(200)]


class Old:
    """Subtasks with state and timers, and a checkpoint of them."""

    def __init__(self, folder: Path, parallelism: int, backend: str) -> None:
        self.places = CheckpointPlaces(str(folder / "job"), False, 1)
        self.place = self.places.of_checkpoint(1)
        self.timers: set[Any] = set()
        self.handles: list[OperatorStateHandle] = []
        for index in range(parallelism):
            self._run(SubtaskPlace(index, parallelism, GROUPS), made(backend, index, parallelism, folder))

    def _run(self, subtask: SubtaskPlace, state: Any) -> None:
        timers = state.timers("t")
        others = state.timers("count")  # which is the name of a state, too
        for number, key in enumerate(ALL_KEYS):
            if key_group(key, GROUPS) not in subtask.key_groups:
                continue
            state.current_key = key
            state.get_reducing_state(COUNT).add(number)
            for time in (number % 5, 100 + number):
                timers.register_event_time_timer(key, TimeWindow(0, 7), time)
                self.timers.add(("event", time, key, TimeWindow(0, 7)))
            others.register_processing_time_timer(key, None, number)
        for time, key, namespace in timers.advance_watermark(2):
            self.timers.remove(("event", time, key, namespace))
        snapshot = state.snapshot(1)
        both = {"t": timers.snapshot(), "count": others.snapshot()}
        self.handles.append(
            write_operator_snapshot(
                self.place, OperatorSnapshot(keyed=snapshot, timers=both, checkpoint_id=1), "o", "op", subtask
            )
        )
        snapshot.release()
        state.close()

    def restored(self, backend: str, parallelism: int, folder: Path) -> set[Any]:
        found: set[Any] = set()
        for index in range(parallelism):
            subtask = SubtaskPlace(index, parallelism, GROUPS)
            snapshot = read_operator_snapshot(
                self.place, self.handles, subtask, partial(open_rocksdb_files, {})
            )
            assert snapshot is not None
            assert snapshot.keyed is not None
            state = made(backend, index, parallelism, folder)
            state.restore([snapshot.keyed], subtask.key_groups)
            timers, others = state.timers("t"), state.timers("count")
            timers.restore([snapshot.timers["t"]], subtask.key_groups)
            others.restore([snapshot.timers["count"]], subtask.key_groups)
            own = [key for key in ALL_KEYS if key_group(key, GROUPS) in subtask.key_groups]
            assert set(state.keys("count")) == set(own)
            assert {key for _, key, _ in others.advance_processing_time(1000)} == set(own)
            fired = list(timers.advance_watermark(1000))
            assert len(fired) == len(set(fired))
            found |= {("event", *timer) for timer in fired}
            state.close()
        return found


def made(backend: str, index: int, parallelism: int, folder: Path) -> Any:
    key_groups = key_group_range(GROUPS, parallelism, index)
    if backend == "hashmap":
        return HashMapStateBackend(GROUPS, key_groups)
    directory = str(folder / "local")
    settings = RocksDBSettings(
        (directory,),
        4 << 20,
        is_incremental="incremental" in backend,
        has_timers_on_heap="heap" in backend,
        timers_per_key_group=4,
    )
    return RocksDBKeyedStateBackend(GROUPS, key_groups, settings=settings)


INCREMENTAL = "rocksdb, incremental"
OTHERS = ("hashmap", "rocksdb", "rocksdb, heap", "rocksdb, incremental, heap")
PAIRS = [
    (INCREMENTAL, INCREMENTAL),
    *((INCREMENTAL, other) for other in OTHERS),
    *((other, INCREMENTAL) for other in OTHERS),
    ("rocksdb", "rocksdb"),
    ("rocksdb", "hashmap"),
    ("hashmap", "rocksdb"),
]


@pytest.mark.parametrize("parallelism", [1, 2, 3])
@pytest.mark.parametrize(("writer", "reader"), PAIRS)
def test_every_backend_goes_on_with_the_timers_of_every_other(
    writer: str, reader: str, parallelism: int, tmp_path: Path
) -> None:
    old = Old(tmp_path, 2, writer)
    in_database = writer == INCREMENTAL
    assert any(file.role is FileRole.TIMERS for handle in old.handles for file in handle.files) != in_database
    assert old.restored(reader, parallelism, tmp_path) == old.timers


def test_timers_are_in_the_next_incremental_checkpoint_and_not_stored_again(tmp_path: Path) -> None:
    settings = RocksDBSettings((str(tmp_path / "local"),), 4 << 20, is_incremental=True)
    backend = RocksDBKeyedStateBackend(GROUPS, settings=settings)
    timers = backend.timers("t")
    places = CheckpointPlaces(str(tmp_path / "job"), False, 1)
    subtask = SubtaskPlace(0, 1, GROUPS)
    files: list[set[str]] = []
    for number in (1, 2):
        for key in range(1000 if number == 1 else 1):
            timers.register_event_time_timer(key, None, number)
        snapshot = backend.snapshot(number)
        both = OperatorSnapshot(keyed=snapshot, timers={"t": timers.snapshot()}, checkpoint_id=number)
        handle = write_operator_snapshot(places.of_checkpoint(number), both, "o", "op", subtask)
        snapshot.release()
        files.append({file.name for file in handle.files if file.name.endswith(".sst")})
    assert files[0] < files[1]
    place = places.of_checkpoint(2)
    read = read_operator_snapshot(place, [handle], subtask, partial(open_rocksdb_files, {}))
    assert read is not None
    assert {(time, key) for _, time, key, _ in written(read.timers["t"])} == {
        (1, key) for key in range(1000)
    } | {(2, 0)}
    backend.close()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [("cache-size", "0", "at least one timer of each key group"), ("factory", "DISK", "HEAP")],
)
def test_settings_that_cannot_be_are_refused(option: str, value: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        RocksDBSettings.of({f"state.backend.rocksdb.timer-service.{option}": value})


def test_timers_are_in_the_database_unless_they_are_to_be_on_the_heap() -> None:
    options = {"state.backend.rocksdb.timer-service.factory": "heap"}
    assert RocksDBSettings.of(options).has_timers_on_heap
    assert not RocksDBSettings.of({}).has_timers_on_heap
