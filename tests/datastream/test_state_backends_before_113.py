"""The state backends of Flink 1.x set the options that say the same now."""

from pathlib import Path

import pytest

from penstock.datastream import (
    EmbeddedRocksDBStateBackend,
    FsStateBackend,
    MemoryStateBackend,
    RocksDBStateBackend,
    StateBackend,
    StreamExecutionEnvironment,
)
from penstock.errors import ProgramError

GONE = "is gone from Flink since 2.0; use "


def options_after(backend: StateBackend) -> dict[str, str]:
    env = StreamExecutionEnvironment.get_execution_environment()
    with pytest.warns(DeprecationWarning, match=f"set_state_backend {GONE}"):
        env.set_state_backend(backend)
    return env.get_configuration().to_dict()


def test_the_backend_in_memory_keeps_checkpoints_with_the_coordinator() -> None:
    with pytest.warns(
        DeprecationWarning, match=f"MemoryStateBackend {GONE}HashMapStateBackend with JobManager"
    ):
        backend = MemoryStateBackend("file:///checkpoints", "file:///savepoints", 1_000, False)
    assert (backend.get_max_state_size(), backend.is_using_asynchronous_snapshots()) == (1_000, False)
    options = options_after(backend)
    assert options["state.backend.type"] == "hashmap"
    assert options["execution.checkpointing.storage"] == "jobmanager"
    assert options["execution.checkpointing.dir"] == "file:/checkpoints"
    assert options["execution.checkpointing.savepoint-dir"] == "file:/savepoints"


def test_the_backend_of_files_writes_checkpoints_that_a_job_starts_from(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match=f"FsStateBackend {GONE}HashMapStateBackend with FileSystem"):
        backend = FsStateBackend(f"file://{tmp_path}", None, 1_024)
    assert (backend.get_min_file_size_threshold(), backend.get_write_buffer_size()) == (1_024, 4_096)
    assert (backend.get_checkpoint_path(), backend.get_savepoint_path()) == (f"file:{tmp_path}", None)
    options = options_after(backend)
    assert options["state.backend.type"] == "hashmap"
    assert options["execution.checkpointing.storage"] == "filesystem"
    assert options["execution.checkpointing.dir"] == f"file:{tmp_path}"


def test_the_backend_of_rocksdb_takes_its_place_from_a_url_or_another_backend() -> None:
    with pytest.warns(
        DeprecationWarning, match=f"RocksDBStateBackend {GONE}EmbeddedRocksDBStateBackend with"
    ):
        backend = RocksDBStateBackend("file:///checkpoints", True)
    assert isinstance(backend, EmbeddedRocksDBStateBackend)
    backend.set_number_of_transfering_threads(2)
    assert backend.get_number_of_transfering_threads() == 2
    options = options_after(backend)
    assert options["state.backend.type"] == "rocksdb"
    assert options["execution.checkpointing.incremental"] == "true"
    assert options["execution.checkpointing.dir"] == "file:/checkpoints"
    with pytest.warns(DeprecationWarning, match="FsStateBackend"):
        files = FsStateBackend("file:///others", "file:///saved")
    with pytest.warns(DeprecationWarning, match="RocksDBStateBackend"):
        beside = RocksDBStateBackend(checkpoint_stream_backend=files)
    assert beside.get_checkpoint_backend() is files
    assert options_after(beside)["execution.checkpointing.dir"] == "file:/others"
    assert options_after(beside)["execution.checkpointing.savepoint-dir"] == "file:/saved"


def test_a_backend_of_rocksdb_without_a_place_is_refused() -> None:
    with (
        pytest.warns(DeprecationWarning, match="RocksDBStateBackend"),
        pytest.raises(
            ProgramError, match=r"takes either checkpoint_data_uri, or as .* and got None and None"
        ),
    ):
        RocksDBStateBackend()
