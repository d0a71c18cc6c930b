"""``ExecutionConfig``: the settings of one program, each kept under its option in a Configuration."""

from typing import Any

from penstock.config.configuration import Configuration
from penstock.config.dropped_execution_settings import DroppedExecutionSettings
from penstock.errors import OptionError

_PARALLELISM = "parallelism.default"
_MAX_PARALLELISM = "pipeline.max-parallelism"
_CLOSURE_CLEANER = "pipeline.closure-cleaner-level"


class ExecutionConfig(DroppedExecutionSettings):
    """Settings of one program; ``StreamExecutionEnvironment.get_config()`` gives the environment's own.

    Changes are seen in the configuration that it was made with, and the other way round.

    >>> config = ExecutionConfig().set_parallelism(4).set_auto_watermark_interval(50)
    >>> config.get_parallelism(), config.to_configuration().get_string("pipeline.auto-watermark-interval", "")
    (4, '50 ms')
    """

    PARALLELISM_DEFAULT = -1
    PARALLELISM_UNKNOWN = -2

    __slots__ = ("_configuration",)

    def __init__(self, configuration: Configuration | None = None) -> None:
        self._configuration = Configuration() if configuration is None else configuration

    def to_configuration(self) -> Configuration:
        """The configuration that holds the settings; not a copy."""
        return self._configuration

    def enable_closure_cleaner(self) -> "ExecutionConfig":
        """Kept for programs that set it; functions are pickled with what they use."""
        return self._set(_CLOSURE_CLEANER, "RECURSIVE")

    def disable_closure_cleaner(self) -> "ExecutionConfig":
        """Kept for programs that set it; functions are pickled with what they use."""
        return self._set(_CLOSURE_CLEANER, "NONE")

    def is_closure_cleaner_enabled(self) -> bool:
        """What was set last; true by default."""
        return bool(self._configuration.get(_CLOSURE_CLEANER) != "NONE")

    def set_auto_watermark_interval(self, interval: int) -> "ExecutionConfig":
        """Milliseconds between two watermarks of a periodic generator; 0 gives none."""
        if interval < 0:
            raise OptionError(f"the interval of watermarks must not be negative, got {interval}")
        return self._set_ms("pipeline.auto-watermark-interval", interval)

    def get_auto_watermark_interval(self) -> int:
        """Milliseconds between two watermarks of a periodic generator."""
        return self._get_ms("pipeline.auto-watermark-interval")

    def set_latency_tracking_interval(self, interval: int) -> "ExecutionConfig":
        """Milliseconds between two latency markers; 0 or less sends none."""
        return self._set_ms("metrics.latency.interval", interval)

    def get_latency_tracking_interval(self) -> int:
        """Milliseconds between two latency markers."""
        return self._get_ms("metrics.latency.interval")

    def set_parallelism(self, parallelism: int) -> "ExecutionConfig":
        """How many subtasks an operator has unless it says otherwise; PARALLELISM_DEFAULT takes the value back."""
        if parallelism == ExecutionConfig.PARALLELISM_UNKNOWN:
            return self
        if parallelism == ExecutionConfig.PARALLELISM_DEFAULT:
            self._configuration.remove_config(_PARALLELISM)
            return self
        if parallelism < 1:
            raise OptionError(
                f"the parallelism has to be at least 1, or PARALLELISM_DEFAULT, got {parallelism}"
            )
        return self._set(_PARALLELISM, parallelism)

    def get_parallelism(self) -> int:
        """How many subtasks an operator has unless it says otherwise; PARALLELISM_DEFAULT where nothing was set."""
        if not self._configuration.contains_key(_PARALLELISM):
            return ExecutionConfig.PARALLELISM_DEFAULT
        return self._configuration.get_integer(_PARALLELISM, ExecutionConfig.PARALLELISM_DEFAULT)

    def set_max_parallelism(self, max_parallelism: int) -> "ExecutionConfig":
        """How many key groups keyed state is cut into, and so the greatest parallelism it can be restored at."""
        if not 0 < max_parallelism <= 32768:
            raise OptionError(f"the maximum parallelism has to be from 1 to 32768, got {max_parallelism}")
        return self._set(_MAX_PARALLELISM, max_parallelism)

    def get_max_parallelism(self) -> int:
        """How many key groups keyed state is cut into; -1 derives the number from the parallelism."""
        return self._configuration.get_integer(_MAX_PARALLELISM, -1)

    def set_task_cancellation_interval(self, interval: int) -> "ExecutionConfig":
        """Milliseconds between two attempts to stop a task."""
        return self._set_ms("task.cancellation.interval", interval)

    def get_task_cancellation_interval(self) -> int:
        """Milliseconds between two attempts to stop a task."""
        return self._get_ms("task.cancellation.interval")

    def set_task_cancellation_timeout(self, timeout: int) -> "ExecutionConfig":
        """Milliseconds after which a task that does not stop takes its worker down; 0 waits for ever."""
        if timeout < 0:
            raise OptionError(f"the timeout of a cancellation must not be negative, got {timeout}")
        return self._set_ms("task.cancellation.timeout", timeout)

    def get_task_cancellation_timeout(self) -> int:
        """Milliseconds after which a task that does not stop takes its worker down."""
        return self._get_ms("task.cancellation.timeout")

    def enable_force_kryo(self) -> "ExecutionConfig":
        """Kept for programs that set it; nothing is written with Kryo here."""
        return self._set("pipeline.force-kryo", True)

    def disable_force_kryo(self) -> "ExecutionConfig":
        """Take :meth:`enable_force_kryo` back."""
        return self._set("pipeline.force-kryo", False)

    def is_force_kryo_enabled(self) -> bool:
        """What was set last; false by default."""
        return self._get_flag("pipeline.force-kryo")

    def enable_generic_types(self) -> "ExecutionConfig":
        """Take :meth:`disable_generic_types` back."""
        return self._set("pipeline.generic-types", True)

    def disable_generic_types(self) -> "ExecutionConfig":
        """Kept for programs that set it; it concerns Java types."""
        return self._set("pipeline.generic-types", False)

    def has_generic_types_disabled(self) -> bool:
        """What was set last; false by default."""
        return not self._get_flag("pipeline.generic-types")

    def enable_auto_generated_uids(self) -> "ExecutionConfig":
        """Operators without a uid get one, made from the shape of the program."""
        return self._set("pipeline.auto-generate-uids", True)

    def disable_auto_generated_uids(self) -> "ExecutionConfig":
        """Operators without a uid are an error."""
        return self._set("pipeline.auto-generate-uids", False)

    def has_auto_generated_uids_enabled(self) -> bool:
        """Whether operators without a uid get one."""
        return self._get_flag("pipeline.auto-generate-uids")

    def enable_force_avro(self) -> "ExecutionConfig":
        """Kept for programs that set it; it concerns Java objects."""
        return self._set("pipeline.force-avro", True)

    def disable_force_avro(self) -> "ExecutionConfig":
        """Take :meth:`enable_force_avro` back."""
        return self._set("pipeline.force-avro", False)

    def is_force_avro_enabled(self) -> bool:
        """What was set last; false by default."""
        return self._get_flag("pipeline.force-avro")

    def enable_object_reuse(self) -> "ExecutionConfig":
        """Pass records on as they are. By default they are copied where a function may change one that another holds."""
        return self._set("pipeline.object-reuse", True)

    def disable_object_reuse(self) -> "ExecutionConfig":
        """Take :meth:`enable_object_reuse` back."""
        return self._set("pipeline.object-reuse", False)

    def is_object_reuse_enabled(self) -> bool:
        """What was set last; false by default."""
        return self._get_flag("pipeline.object-reuse")

    def set_global_job_parameters(self, global_job_parameters_dict: dict[str, Any]) -> "ExecutionConfig":
        """Pairs that every function can read; values become texts."""
        return self._set(
            "pipeline.global-job-parameters",
            {str(key): str(value) for key, value in global_job_parameters_dict.items()},
        )

    def get_global_job_parameters(self) -> dict[str, str]:
        """Pairs that every function can read."""
        return dict(self._configuration.get("pipeline.global-job-parameters") or {})

    def get_default_kryo_serializer_classes(self) -> dict[str, str]:
        """Java classes written with a Kryo serializer of their own: none, for there is no Java."""
        return {}

    def get_registered_kryo_types(self) -> list[str]:
        """Java classes known to Kryo: none, for there is no Java."""
        return []

    def get_registered_pojo_types(self) -> list[str]:
        """Java classes registered by name: none, for there is no Java."""
        return []

    def set_use_snapshot_compression(self, use_snapshot_compression: bool) -> "ExecutionConfig":
        """Accepted, and without influence: snapshots of state are always compressed."""
        return self._set("execution.checkpointing.snapshot-compression", use_snapshot_compression)

    def is_use_snapshot_compression(self) -> bool:
        """What was set; snapshots of state are always compressed."""
        return self._get_flag("execution.checkpointing.snapshot-compression")

    def _set(self, key: str, value: Any) -> "ExecutionConfig":
        self._configuration.set(key, value)
        return self

    def _set_ms(self, key: str, milliseconds: int) -> "ExecutionConfig":
        from datetime import timedelta

        return self._set(key, timedelta(milliseconds=milliseconds))

    def _get_ms(self, key: str) -> int:
        return self._configuration.get_millis(key) or 0

    def _get_flag(self, key: str) -> bool:
        return bool(self._configuration.get(key))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExecutionConfig) and self._configuration == other._configuration

    def __hash__(self) -> int:
        return hash(self._configuration)
