"""What RocksDB is given stays within what is set, and what is freed goes back to the system."""

import operator
from typing import Any

import pytest

from penstock.contracts.state import ReducingStateDescriptor
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.database import SharedMemory
from penstock.state.rocksdb.freed_memory import FreedMemory
from penstock.state.rocksdb.settings import RocksDBSettings

COUNT = ReducingStateDescriptor("count", operator.add)


def test_blocks_and_write_buffers_are_within_what_is_set_when_buffers_take_half_more() -> None:
    for ratio in (0.1, 0.5, 0.9):
        settings = RocksDBSettings(memory_bytes=64 << 20, write_buffer_ratio=ratio)
        cache, buffers = SharedMemory(settings).of_database()
        overshoot = buffers.get_buffer_size() // 2
        blocks = settings.cache_bytes
        assert blocks + overshoot <= settings.counted_bytes
        assert cache.get_usage() < blocks


def test_of_small_settings_half_is_left_for_what_rocksdb_does_not_count_of_large_ones_a_fixed_part() -> None:
    counted = [RocksDBSettings(memory_bytes=mib << 20).counted_bytes >> 20 for mib in (4, 128, 256, 1024)]
    assert counted == [2, 64, 192, 960]


def test_many_keys_stay_within_the_cache_of_blocks() -> None:
    settings = RocksDBSettings(memory_bytes=4 << 20, object_cache_bytes=1 << 20)
    backend = RocksDBKeyedStateBackend(8, settings=settings)
    table: Any = backend.table(COUNT)
    cache, buffers = backend._database._buffers
    for start in range(0, 200_000, 4_000):
        keys = [number * 7_368_787 % 200_000 for number in range(start, start + 4_000)]
        assert set(table.fold(keys, [1] * len(keys), operator.add)) == {1}
        assert buffers.get_usage() <= settings.write_buffers_bytes * 2
    assert cache.get_usage() <= settings.counted_bytes
    assert table.fold(list(range(4_000)), [1] * 4_000, operator.add) == [2] * 4_000
    backend.close()


def test_what_is_freed_goes_back_each_time_so_much_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    freed, given_back = FreedMemory(100), list[int]()
    monkeypatch.setattr(freed, "_trim", given_back.append)
    for size_bytes in (60, 30, 10, 99, 200):
        freed.wrote(size_bytes)
    assert given_back == [0, 0]
    assert FreedMemory(1).wrote(1) is None  # type: ignore[func-returns-value]  # whichever library there is
