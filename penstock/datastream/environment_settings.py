"""The settings of an environment that are only kept as options: checkpoints, state, slots, files that come along.

``StreamExecutionEnvironment`` inherits them. What this version cannot do is accepted here and spoken of when a job starts:
see :mod:`penstock.datastream.settings_check`.
"""

import sys
import warnings
from typing import TYPE_CHECKING, Self

from penstock.config.configuration import Configuration
from penstock.datastream.arguments import path_argument, text_argument
from penstock.datastream.program import positive
from penstock.errors import ProgramError
from penstock.operators.user_code import origin_of_caller, shorten

if TYPE_CHECKING:
    from penstock.config.restart_strategies import RestartStrategyConfiguration
    from penstock.datastream.checkpoint_config import CheckpointConfig
    from penstock.datastream.checkpointing_mode import CheckpointingMode
    from penstock.datastream.slot_sharing_group import SlotSharingGroup
    from penstock.datastream.state_backend import StateBackend
    from penstock.datastream.time_characteristic import TimeCharacteristic

_CHANGELOG = "state.changelog.enabled"
_SAVEPOINT_DIR = "execution.checkpointing.savepoint-dir"
_MIXED_CHAINS = "pipeline.operator-chaining.chain-operators-with-different-max-parallelism"


class EnvironmentOptions:
    """Setters and getters over the options of ``self._configuration``."""

    _configuration: Configuration
    _default_local_parallelism: int | None = None

    def is_chaining_of_operators_with_different_max_parallelism_enabled(self) -> bool:
        """Whether operators of different maximum parallelism may share a task."""
        return bool(self._configuration.get(_MIXED_CHAINS))

    def register_slot_sharing_group(self, slot_sharing_group: "SlotSharingGroup") -> Self:
        """Say what the slots of a slot sharing group need. It goes with the program to who gives out slots; workers on one
        machine are all alike.
        """
        _check_group(slot_sharing_group)
        self._slot_sharing_groups()[slot_sharing_group.get_name()] = slot_sharing_group
        return self

    def use_slot_sharing_group(self, group: "SlotSharingGroup") -> None:
        """An operator was put into a group; what it needs holds for the group.

        :raises ProgramError: where the group was said to need something else.
        """
        _check_group(group)
        groups = self._slot_sharing_groups()
        before = groups.setdefault(group.get_name(), group)
        if group.resources() is None or group == before:
            return
        if before.resources() is not None:
            raise ProgramError(
                f"the slot sharing group {group.get_name()!r} is said to need {group.resources()}, and before "
                f"{before.resources()}; say it once, or name another group ({origin_of_caller()})"
            )
        groups[group.get_name()] = group

    def _slot_sharing_groups(self) -> dict[str, "SlotSharingGroup"]:
        groups: dict[str, SlotSharingGroup] = self.__dict__.setdefault("_groups", {})
        return groups

    # Checkpoints and state ----------------------------------------------------------------------------------------------

    def get_checkpoint_config(self) -> "CheckpointConfig":
        """The settings of checkpoints; changes of them hold for the environment."""
        from penstock.datastream.checkpoint_config import CheckpointConfig

        return CheckpointConfig(self._configuration)

    def enable_checkpointing(self, interval: int, mode: "CheckpointingMode | None" = None) -> Self:
        """Take a checkpoint every ``interval`` milliseconds."""
        config = self.get_checkpoint_config().set_checkpoint_interval(interval)
        if mode is not None:
            config.set_checkpointing_mode(mode)
        return self

    def get_checkpoint_interval(self) -> int:
        """Milliseconds between the starts of two checkpoints; -1 where none are taken."""
        return self.get_checkpoint_config().get_checkpoint_interval()

    def get_checkpointing_mode(self) -> "CheckpointingMode":
        """Whether records count exactly once or at least once after a failure."""
        return self.get_checkpoint_config().get_checkpointing_mode()

    def get_checkpointing_consistency_mode(self) -> "CheckpointingMode":
        """The same as ``get_checkpointing_mode``."""
        return self.get_checkpointing_mode()

    def is_unaligned_checkpoints_enabled(self) -> bool:
        """Whether barriers may overtake records."""
        return self.get_checkpoint_config().is_unaligned_checkpoints_enabled()

    def is_force_unaligned_checkpoints(self) -> bool:
        """Whether they may where Flink would not let them."""
        return self.get_checkpoint_config().is_force_unaligned_checkpoints()

    def enable_changelog_state_backend(self, enabled: bool) -> Self:
        """Write changes of state as they happen; accepted, and without influence here."""
        self._configuration.set(_CHANGELOG, bool(enabled))
        return self

    def is_changelog_state_backend_enabled(self) -> bool | None:
        """What was set last; None where nothing was."""
        return self._configuration.get(_CHANGELOG) if self._configuration.contains_key(_CHANGELOG) else None

    def set_default_savepoint_directory(self, directory: str) -> Self:
        """Put savepoints there that do not say where."""
        from penstock.datastream.checkpoint_storage import with_scheme

        directory = path_argument(directory, "a savepoint directory")
        self._configuration.set(_SAVEPOINT_DIR, with_scheme(directory) if ":" in directory else directory)
        return self

    def get_default_savepoint_directory(self) -> str | None:
        """Where savepoints go that do not say; None where nothing was set."""
        directory: str | None = self._configuration.get(_SAVEPOINT_DIR)
        return directory

    # Files --------------------------------------------------------------------------------------------------------------

    def add_python_file(self, file_path: str) -> None:
        """Let the program and its workers import from a directory, an archive, or a single module."""
        from penstock.datastream.python_files import import_directory

        directory = import_directory(path_argument(file_path, "a Python file"))
        self._append("python.files", str(file_path), ",")
        if directory not in sys.path:
            sys.path.insert(1, directory)

    def set_python_requirements(
        self, requirements_file_path: str, requirements_cache_dir: str | None = None
    ) -> None:
        """Name a file of packages that functions need: a cluster installs them for the job, from ``requirements_cache_dir``
        alone where that is given. Without one nothing is installed, and a warning says what is missing here.
        """
        from penstock.datastream.python_files import missing_requirements

        requirements_file_path = path_argument(requirements_file_path, "a file of requirements")
        cache = "" if requirements_cache_dir is None else f"#{requirements_cache_dir}"
        self._configuration.set("python.requirements", f"{requirements_file_path}{cache}")
        missing = missing_requirements(requirements_file_path) if self._runs_here() else []
        if missing:
            warnings.warn(
                f"{requirements_file_path} asks for {', '.join(missing)}; jobs run in this interpreter, so install it "
                f"here: {sys.executable} -m pip install -r {requirements_file_path}",
                stacklevel=2,
            )

    def add_python_archive(self, archive_path: str, target_dir: str | None = None) -> None:
        """Name an archive that functions read from: on a cluster they find it unpacked in their working directory, as
        ``target_dir`` or under its own name. Without one a warning says that it is not unpacked.
        """
        archive_path = path_argument(archive_path, "an archive")
        target = "" if target_dir is None else f"#{target_dir}"
        self._append("python.archives", f"{archive_path}{target}", ",")
        if self._runs_here():
            warnings.warn(
                f"{archive_path} is not unpacked for functions, which run in the working directory of the program here; "
                "unpack it there yourself",
                stacklevel=2,
            )

    def set_python_executable(self, python_exec: str) -> None:
        """Name the interpreter of functions; accepted, and without influence: they run in this one."""
        self._configuration.set("python.executable", path_argument(python_exec, "an interpreter"))

    def add_jars(self, *jars_path: str) -> None:
        """Name archives of Java; accepted, and without influence."""
        self._append("pipeline.jars", ";".join(map(str, jars_path)), ";")
        _warn_of_java("add_jars")

    def add_classpaths(self, *classpaths: str) -> None:
        """Name places of Java classes; accepted, and without influence."""
        self._append("pipeline.classpaths", ";".join(map(str, classpaths)), ";")
        _warn_of_java("add_classpaths")

    def register_cached_file(self, file_path: str, name: str, executable: bool = False) -> None:
        """Name a file for functions, which find it with ``runtime_context.get_distributed_cache().get_file(name)``.

        Workers see the files of this machine, under their own paths; a relative path is one from here.
        """
        file_path, name = path_argument(file_path, "a cached file"), text_argument(name, "its name")
        if ";" in f"{file_path}{name}" or "," in name:
            raise ProgramError(
                f"a cached file cannot have ';' in its path, nor ';' or ',' in its name: {file_path!r} as {name!r} "
                f"({origin_of_caller()})"
            )
        entry = f"name:{name},path:{file_path},executable:{str(executable).lower()}"
        self._append("pipeline.cached-files", entry, ";")

    def get_default_local_parallelism(self) -> int:
        """How many processors this process may use, unless set otherwise."""
        if EnvironmentOptions._default_local_parallelism is not None:
            return EnvironmentOptions._default_local_parallelism
        import os

        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def set_default_local_parallelism(self, parallelism: int) -> None:
        """Kept for ``get_default_local_parallelism``; as in PyFlink, jobs have the parallelism of the environment."""
        EnvironmentOptions._default_local_parallelism = positive("parallelism", parallelism)

    def _runs_here(self) -> bool:
        return self._configuration.get_string("execution.target", "local") == "local"

    def _append(self, key: str, value: str, separator: str) -> None:
        before = self._configuration.get_string(key, None)
        self._configuration.set_string(key, value if not before else f"{before}{separator}{value}")

    # Up to Flink 1.20 ---------------------------------------------------------------------------------------------------

    def set_state_backend(self, state_backend: "StateBackend") -> Self:
        """Say where keyed state lives, as up to Flink 1.20."""
        from penstock.config.formerly import formerly
        from penstock.datastream.state_backend import StateBackend

        formerly("set_state_backend", "the option state.backend.type")
        if not isinstance(state_backend, StateBackend):
            raise ProgramError(
                f"a StateBackend is expected, not {shorten(state_backend)} ({origin_of_caller()})"
            )
        state_backend.apply_to(self._configuration)
        return self

    def get_state_backend(self) -> "StateBackend":
        """Where keyed state lives, as up to Flink 1.20."""
        from penstock.config.formerly import formerly
        from penstock.datastream.state_backend import state_backend_of

        formerly("get_state_backend", "the option state.backend.type")
        return state_backend_of(self._configuration)

    def set_restart_strategy(self, restart_strategy_configuration: "RestartStrategyConfiguration") -> Self:
        """Say what happens after a failure, as up to Flink 1.20."""
        from penstock.config.formerly import formerly
        from penstock.config.restart_strategies import RestartStrategyConfiguration

        formerly("set_restart_strategy", "the options restart-strategy.*")
        if not isinstance(restart_strategy_configuration, RestartStrategyConfiguration):
            raise ProgramError(
                "a RestartStrategyConfiguration such as RestartStrategies.no_restart() is expected, not "
                f"{shorten(restart_strategy_configuration)} ({origin_of_caller()})"
            )
        restart_strategy_configuration.apply_to(self._configuration)
        return self

    def get_restart_strategy(self) -> "RestartStrategyConfiguration":
        """What happens after a failure, as up to Flink 1.20; the strategy of the cluster where nothing was set."""
        from penstock.config.formerly import formerly
        from penstock.config.restart_strategies import restart_strategy_of

        formerly("get_restart_strategy", "the options restart-strategy.*")
        return restart_strategy_of(self._configuration)

    def set_stream_time_characteristic(self, characteristic: "TimeCharacteristic") -> Self:
        """Without influence: which time counts is said by windows and timers, as in Flink since 1.12."""
        from penstock.config.formerly import formerly

        formerly("set_stream_time_characteristic", "windows and timers of event time or of processing time")
        return self

    def get_stream_time_characteristic(self) -> "TimeCharacteristic":
        """Event time, as in Flink since 1.12."""
        from penstock.config.formerly import formerly
        from penstock.datastream.time_characteristic import TimeCharacteristic

        formerly("get_stream_time_characteristic", "windows and timers of event time or of processing time")
        return TimeCharacteristic.EventTime

    def register_type(self, type_class_name: str) -> None:
        """Without influence: it is about Java's serializers."""
        _serializers_of_java("register_type")

    def register_type_with_kryo_serializer(self, type_class_name: str, serializer_class_name: str) -> None:
        """Without influence: it is about Java's serializers."""
        _serializers_of_java("register_type_with_kryo_serializer")

    def add_default_kryo_serializer(self, type_class_name: str, serializer_class_name: str) -> None:
        """Without influence: it is about Java's serializers."""
        _serializers_of_java("add_default_kryo_serializer")


_warned: set[str] = set()


def _warn_of_java(what: str) -> None:
    """Once in a process: a program with ten archives needs no ten warnings."""
    if what not in _warned:
        _warned.add(what)
        warnings.warn(
            f"{what} is without influence: there is no Java here. Connectors and formats come with penstock or with its "
            "extras",
            stacklevel=3,
        )


def _serializers_of_java(what: str) -> None:
    warnings.warn(
        f"{what} is without influence: it is about serializers of Java, and it is gone from Flink since 2.0",
        DeprecationWarning,
        stacklevel=3,
    )


def _check_group(group: object) -> None:
    from penstock.datastream.slot_sharing_group import SlotSharingGroup

    if not isinstance(group, SlotSharingGroup):
        raise ProgramError(f"a SlotSharingGroup is expected, not {shorten(group)} ({origin_of_caller()})")
