"""RocksDB's own options under Flink's keys: what a database says of itself, and what is refused."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.clock import SYSTEM_CLOCK
from penstock.contracts.state import ValueStateDescriptor
from penstock.errors import OptionError
from penstock.state.rocksdb.backend import RocksDBKeyedStateBackend
from penstock.state.rocksdb.settings import RocksDBSettings

PREFIX = "state.backend.rocksdb."
VALUE = ValueStateDescriptor("value")


def options_of(folder: Path, options: Mapping[str, str]) -> dict[str, str]:
    """What is written down of a database that was opened with the options and has been used."""
    settings = RocksDBSettings.of(
        {PREFIX + key: value for key, value in options.items()}
        | {
            PREFIX + "localdir": str(folder),
            PREFIX + "memory.fixed-per-tm": "64 mb",
        }
    )
    backend = RocksDBKeyedStateBackend(8, None, SYSTEM_CLOCK, settings)
    try:
        for key in range(100):
            backend.set_current_key(key)
            backend.get_state(VALUE).update(key)
        backend.snapshot(1).release()
        backend.set_current_key(7)
        assert backend.get_state(VALUE).value() == 7
        (written, *_) = folder.rglob("OPTIONS-*")
        lines = [line.strip().partition("=") for line in written.read_text().splitlines()]
        return {key: value for key, separator, value in lines if separator}
    finally:
        backend.close()


def test_without_any_the_database_has_the_options_of_penstock(tmp_path: Path) -> None:
    found = options_of(tmp_path, {})
    assert found["max_background_jobs"] == "2"
    assert found["max_open_files"] == "512"
    assert found["target_file_size_base"] == str(8 << 20)
    assert found["compaction_style"] == "kCompactionStyleLevel"
    assert found["filter_policy"] == "bloomfilter"


def test_those_that_are_set_are_the_databases(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    found = options_of(
        tmp_path,
        {
            "thread.num": "3",
            "files.open": "-1",
            "writebuffer.size": "2 mb",
            "writebuffer.count": "5",
            "writebuffer.number-to-merge": "2",
            "block.blocksize": "16 kb",
            "block.metadata-blocksize": "8 kb",
            "compaction.style": "universal",
            "compaction.level.use-dynamic-size": "false",
            "compaction.level.target-file-size-base": "32 mb",
            "compaction.level.max-size-level-base": "128 mb",
            "compression.per.level": "NO_COMPRESSION;LZ4_COMPRESSION;ZSTD_COMPRESSION",
            "log.dir": str(logs),
            "log.file-num": "6",
            "log.max-file-size": "25 mb",
        },
    )
    assert {key: found[key] for key in EXPECTED} == EXPECTED
    compressions = found["compression_per_level"].split(":")
    assert compressions == ["kNoCompression", "kLZ4Compression", *["kZSTD"] * 5]
    assert found["db_log_dir"] == str(logs)
    assert list(logs.iterdir())


EXPECTED = {
    "max_background_jobs": "3",
    "max_open_files": "-1",
    "write_buffer_size": str(2 << 20),
    "max_write_buffer_number": "5",
    "min_write_buffer_number_to_merge": "2",
    "block_size": str(16 << 10),
    "metadata_block_size": str(8 << 10),
    "compaction_style": "kCompactionStyleUniversal",
    "level_compaction_dynamic_level_bytes": "false",
    "target_file_size_base": str(32 << 20),
    "max_bytes_for_level_base": str(128 << 20),
    "keep_log_file_num": "6",
    "max_log_file_size": str(25 << 20),
}


def test_filters_may_be_longer() -> None:
    longer = RocksDBSettings.of({PREFIX + "bloom-filter.bits-per-key": "13.8"})
    assert (RocksDBSettings.of({}).configurable.filter_bits, longer.configurable.filter_bits) == (10, 14)


def test_filters_and_compactions_may_be_left_out(tmp_path: Path) -> None:
    found = options_of(tmp_path, {"use-bloom-filter": "false", "compaction.style": "NONE"})
    assert found["filter_policy"] == "nullptr"
    assert found["disable_auto_compactions"] == "true"


def test_what_is_set_goes_before_what_a_kind_of_disk_has(tmp_path: Path) -> None:
    disk = {"predefined-options": "SPINNING_DISK_OPTIMIZED"}
    assert options_of(tmp_path / "disk", disk)["block_size"] == str(128 << 10)
    found = options_of(tmp_path / "both", {**disk, "block.blocksize": "64 kb"})
    assert found["block_size"] == str(64 << 10)
    assert found["target_file_size_base"] == str(256 << 20)


def test_the_cache_of_blocks_is_what_is_set_where_memory_has_no_common_bound() -> None:
    cache = {PREFIX + "block.cache-size": "16 mb"}
    alone = RocksDBSettings.of({**cache, PREFIX + "memory.managed": "false"})
    assert alone.cache_bytes == 16 << 20
    shared = RocksDBSettings.of(cache)
    assert shared.cache_bytes == RocksDBSettings.of({}).cache_bytes


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("thread.num", "0", "is 0: it is a number, 1 or more"),
        ("files.open", "0", "1 or more, or -1 for as many as there are"),
        ("writebuffer.size", "0", "is 0 bytes: it is a size above 0, such as 4 kb"),
        (
            "bloom-filter.bits-per-key",
            "0.2",
            "for no filters, set state.backend.rocksdb.use-bloom-filter to false",
        ),
        ("compaction.style", "FIFO", "deletes the oldest files of a database"),
        (
            "compression.per.level",
            "LZ4_COMPRESSION;FAST",
            "names 'FAST'; it is a list of NO_COMPRESSION, SNAPPY",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_key(key: str, value: str, said: str) -> None:
    with pytest.raises(OptionError) as caught:
        RocksDBSettings.of({PREFIX + key: value})
    assert PREFIX + key in caught.value.message
    assert said in caught.value.message
