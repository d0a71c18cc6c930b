"""Settings that are kept as options, with the defaults and limits of Apache Flink 2.3."""

import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from penstock.config.configuration import Configuration
from penstock.data.time import Duration
from penstock.dataflow.slot_resources import SlotResources
from penstock.datastream.checkpoint_config import CheckpointConfig
from penstock.datastream.checkpoint_storage import FileSystemCheckpointStorage, JobManagerCheckpointStorage
from penstock.datastream.checkpointing_mode import CheckpointingMode
from penstock.datastream.externalized_checkpoint_retention import ExternalizedCheckpointRetention
from penstock.datastream.slot_sharing_group import MemorySize, SlotSharingGroup
from penstock.datastream.state_backend import EmbeddedRocksDBStateBackend, HashMapStateBackend
from penstock.environment import StreamExecutionEnvironment
from penstock.errors import OptionError, ProgramError, StateError
from penstock.plan.compile import compile_graph


@pytest.fixture
def env() -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment()


def test_defaults_of_checkpoints_are_those_of_flink() -> None:
    config = CheckpointConfig()
    assert (config.is_checkpointing_enabled(), config.get_checkpoint_interval()) == (False, -1)
    assert config.get_checkpointing_mode() is CheckpointingMode.AT_LEAST_ONCE
    assert (config.get_checkpoint_timeout(), config.get_min_pause_between_checkpoints()) == (600_000, 0)
    assert (config.get_max_concurrent_checkpoints(), config.is_fail_on_checkpointing_errors()) == (1, True)
    assert config.get_tolerable_checkpoint_failure_number() == 0
    none = ExternalizedCheckpointRetention.NO_EXTERNALIZED_CHECKPOINTS
    assert config.get_externalized_checkpoint_retention() is none
    assert not config.is_externalized_checkpoints_enabled()
    assert not config.is_unaligned_checkpoints_enabled()
    assert config.get_aligned_checkpoint_timeout() == Duration.of_millis(0)


@pytest.mark.parametrize(
    ("setter", "value"),
    [
        ("set_checkpoint_interval", 9),
        ("set_checkpoint_timeout", 0),
        ("set_min_pause_between_checkpoints", -1),
        ("set_max_concurrent_checkpoints", 0),
        ("set_tolerable_checkpoint_failure_number", -1),
        ("set_checkpointing_mode", "EXACTLY_ONCE"),
        ("set_externalized_checkpoint_retention", None),
    ],
)
def test_what_flink_refuses_is_refused_at_the_line_of_the_program(setter: str, value: Any) -> None:
    with pytest.raises(ProgramError, match=r"test_environment_settings\.py:\d+"):
        getattr(CheckpointConfig(), setter)(value)


def test_unaligned_checkpoints_need_the_exactly_once_mode() -> None:
    config = CheckpointConfig().enable_unaligned_checkpoints()
    assert config.is_unaligned_checkpoints_enabled()
    config.set_checkpointing_mode(CheckpointingMode.AT_LEAST_ONCE)
    assert not config.is_unaligned_checkpoints_enabled()


def test_checkpoints_are_asked_for_with_an_interval_and_a_mode(env: StreamExecutionEnvironment) -> None:
    env.enable_checkpointing(1000, CheckpointingMode.EXACTLY_ONCE)
    assert (env.get_checkpoint_interval(), env.get_checkpointing_mode()) == (
        1000,
        CheckpointingMode.EXACTLY_ONCE,
    )


def test_a_job_does_not_start_from_a_savepoint_that_is_not_there(env: StreamExecutionEnvironment) -> None:
    env.get_configuration().set_string("execution.state-recovery.path", "file:/s")
    env.from_collection([1]).print()
    with pytest.raises(StateError, match="there is no checkpoint or savepoint at /s"):
        env.execute()


def test_rocksdb_that_is_not_installed_is_named_with_the_command_that_installs_it(
    env: StreamExecutionEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [path for path in sys.path if "site-packages" not in path])
    monkeypatch.setattr("sys.meta_path", [finder for finder in sys.meta_path if isinstance(finder, type)])
    monkeypatch.delitem(sys.modules, "rocksdict", raising=False)
    env.get_configuration().set_string("state.backend.type", "rocksdb")
    env.from_collection([1]).print()
    with pytest.raises(OptionError, match=r"pip install penstock\[rocksdb\]"):
        env.execute()


def test_objects_of_older_programs_set_the_options_and_name_what_replaced_them(
    env: StreamExecutionEnvironment,
) -> None:
    backend = EmbeddedRocksDBStateBackend(True)
    backend.set_db_storage_paths("/a", "file:///b")
    with pytest.warns(DeprecationWarning, match=r"use the option state\.backend\.type"):
        env.set_state_backend(backend)
    assert env.get_configuration().get_string("state.backend.rocksdb.localdir", None) == "/a,/b"
    with pytest.warns(DeprecationWarning, match="is gone from Flink since"):
        env.set_state_backend(HashMapStateBackend())
    config = env.get_checkpoint_config()
    with pytest.warns(DeprecationWarning, match="is gone from Flink since"):
        config.set_checkpoint_storage_dir("file:///c/")
    with pytest.warns(DeprecationWarning, match="is gone from Flink since"):
        storage = config.get_checkpoint_storage()
    assert isinstance(storage, FileSystemCheckpointStorage)
    assert storage.get_checkpoint_path() == "file:/c"


@pytest.mark.parametrize("path", ["relative/path", "file:///"])
def test_checkpoints_need_a_scheme_and_a_directory_below_the_root(path: str) -> None:
    with pytest.raises(ProgramError):
        FileSystemCheckpointStorage(path)


def test_defaults_of_checkpoint_storages_are_those_of_flink() -> None:
    storage = FileSystemCheckpointStorage("s3://b/c/", 10)
    assert (storage.get_checkpoint_path(), storage.get_savepoint_path()) == ("s3://b/c", None)
    assert (storage.get_min_file_size_threshold(), storage.get_write_buffer_size()) == (10, 4096)
    assert JobManagerCheckpointStorage().get_max_state_size() == 5 * 1024 * 1024


def test_a_group_that_says_what_it_needs_says_cores_and_memory() -> None:
    builder = SlotSharingGroup.builder("g").set_cpu_cores(1.5)
    with pytest.raises(ProgramError, match="both set_cpu_cores and set_task_heap_memory"):
        builder.build()
    group = builder.set_task_heap_memory_mb(10).set_external_resource("gpu", 1.0).build()
    assert (group.get_managed_memory(), group.get_task_off_heap_memory()) == (MemorySize(0), MemorySize(0))
    assert group.get_external_resources() == {"gpu": 1.0}
    assert SlotSharingGroup.builder("g").build().get_managed_memory() is None


def test_operators_take_a_group_by_name_or_as_an_object(env: StreamExecutionEnvironment) -> None:
    group = SlotSharingGroup.builder("heavy").build()
    env.register_slot_sharing_group(group)
    stream = env.from_collection([1]).map(str).slot_sharing_group(group)
    stream.print().slot_sharing_group("light")
    groups = [node.slot_sharing_group for node in env.get_stream_graph().nodes]
    assert groups == [None, "heavy", "light"]


def test_what_groups_need_goes_with_the_graph_to_who_gives_out_slots(env: StreamExecutionEnvironment) -> None:
    heavy = SlotSharingGroup.builder("heavy").set_cpu_cores(2).set_task_heap_memory_mb(1)
    env.register_slot_sharing_group(
        SlotSharingGroup.builder("light").set_cpu_cores(0.5).set_task_heap_memory_mb(2).build()
    )
    stream = (
        env.from_collection([1]).map(str).slot_sharing_group(heavy.set_external_resource("gpu", 1).build())
    )
    stream.print().slot_sharing_group("light")
    job = compile_graph(env.get_stream_graph(clear_transformations=False))
    assert pickle.loads(pickle.dumps(job.slot_resources)) == {
        "heavy": SlotResources(2.0, 1 << 20, 0, 0, (("gpu", 1),)),
        "light": SlotResources(0.5, 2 << 20),
    }
    assert {vertex.slot_sharing_group for vertex in job.vertices} == {"default", "heavy", "light"}
    other = SlotSharingGroup.builder("heavy").set_cpu_cores(3).set_task_heap_memory_mb(1).build()
    with pytest.raises(
        ProgramError, match=r"'heavy' is said to need SlotResources\(cpu_cores=3\.0.* and before"
    ):
        stream.slot_sharing_group(other)
    for wrong in (0, -1, True, "two"):
        with pytest.raises(ProgramError, match="the number of cores must be above 0"):
            SlotSharingGroup.builder("g").set_cpu_cores(wrong)  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="an external resource has a name and an amount above 0"):
        SlotSharingGroup.builder("g").set_external_resource("gpu", 0)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1500, "1500 bytes"),
        (1024, "1 kb"),
        (3 << 30, "3 gb"),
        (5 << 40, "5497558138880 bytes"),
    ],
)
def test_memory_sizes_are_written_as_flink_writes_them(size: int, text: str) -> None:
    assert str(MemorySize(size)) == text
    assert MemorySize.parse(text) == MemorySize(size)


def test_python_files_can_be_imported_by_the_program_and_by_its_workers(
    env: StreamExecutionEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "brought_along_a.py").write_text("def ten_times(value):\n    return value * 10\n")
    env.add_python_file(str(tmp_path / "brought_along_a.py"))
    import brought_along_a  # type: ignore[import-not-found]

    env.set_parallelism(2)
    with env.from_sequence(1, 3).map(brought_along_a.ten_times).execute_and_collect() as rows:
        assert sorted(rows) == [10, 20, 30]
    assert env.get_configuration().get_string("python.files", None) == str(tmp_path / "brought_along_a.py")


def test_requirements_that_are_missing_are_named(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# comment\npytest\nno-such-package-here>=1\npytest==0.0.1  # old\n-r other.txt\n")
    with pytest.warns(UserWarning, match=r"asks for no-such-package-here>=1, pytest==0\.0\.1 \("):
        env.set_python_requirements(str(file), "cache")
    assert env.get_configuration().get_string("python.requirements", None) == f"{file}#cache"
    file.write_text("pytest\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.set_python_requirements(str(file))


def test_a_job_without_settings_reads_no_catalogue_of_options(env: StreamExecutionEnvironment) -> None:
    assert env.get_configuration() == Configuration()
    assert env.get_default_savepoint_directory() is None
    assert env.is_changelog_state_backend_enabled() is None
    env.set_default_savepoint_directory("file:///s").enable_changelog_state_backend(True)
    assert env.get_default_savepoint_directory() == "file:/s"
    assert env.is_changelog_state_backend_enabled() is True


def test_a_stream_is_read_by_a_second_job_again(env: StreamExecutionEnvironment) -> None:
    numbers = env.from_collection([1, 2])
    assert numbers.map(lambda x: x * 10).execute_and_collect(limit=9) == [10, 20]
    assert numbers.map(lambda x: x * 100).execute_and_collect(limit=9) == [100, 200]


def test_the_backends_of_flink_before_1_13_say_where_checkpoints_go_too(
    env: StreamExecutionEnvironment,
) -> None:
    from penstock.datastream import FsStateBackend, MemoryStateBackend, RocksDBStateBackend

    seen = []
    for make in (
        MemoryStateBackend,
        lambda: FsStateBackend("file:///c", "file:///s"),
        lambda: RocksDBStateBackend("file:///r", True),
    ):
        with pytest.warns(DeprecationWarning, match="is gone from Flink since 2.0"):
            backend = make()
        with pytest.warns(DeprecationWarning, match=r"state\.backend\.type"):
            env.set_state_backend(backend)
        configuration = env.get_configuration()
        keys = ("state.backend.type", "execution.checkpointing.storage", "execution.checkpointing.dir")
        seen.append(tuple(configuration.get(key) for key in keys))
    assert seen[0][:2] == ("hashmap", "jobmanager")
    assert seen[1] == ("hashmap", "filesystem", "file:/c")
    assert seen[2] == ("rocksdb", "filesystem", "file:/r")
    assert env.get_default_savepoint_directory() == "file:/s"
