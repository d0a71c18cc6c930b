"""Methods of ExecutionConfig that Flink had up to 1.20; they work on with a DeprecationWarning."""

from typing import TYPE_CHECKING, Self

from penstock.config.formerly import formerly
from penstock.errors import ProgramError

if TYPE_CHECKING:
    from penstock.config.configuration import Configuration
    from penstock.config.execution_mode import ExecutionMode
    from penstock.config.input_dependency_constraint import InputDependencyConstraint
    from penstock.config.restart_strategies import RestartStrategyConfiguration

_EXECUTION_MODE = "hidden.execution.mode"
_PICKLED = "nothing: values are pickled, and serializers of Java have no part in that"
_SCHEDULED = "nothing: the scheduler knows when a task's inputs are ready"


class DroppedExecutionSettings:
    """What is about Java's serializers or an older scheduler changes nothing."""

    __slots__ = ()

    if TYPE_CHECKING:

        def to_configuration(self) -> "Configuration":
            """The configuration that holds the settings."""

    def set_restart_strategy(self, restart_strategy_configuration: "RestartStrategyConfiguration") -> Self:
        """Say what happens after a failure."""
        from penstock.config.restart_strategies import RestartStrategyConfiguration

        formerly("set_restart_strategy", "the options restart-strategy.*")
        if not isinstance(restart_strategy_configuration, RestartStrategyConfiguration):
            raise ProgramError(
                "a RestartStrategyConfiguration such as RestartStrategies.no_restart() is expected, not "
                f"{restart_strategy_configuration!r:.200}"
            )
        restart_strategy_configuration.apply_to(self.to_configuration())
        return self

    def get_restart_strategy(self) -> "RestartStrategyConfiguration":
        """What happens after a failure; that of the cluster where nothing was set."""
        from penstock.config.restart_strategies import restart_strategy_of

        formerly("get_restart_strategy", "the options restart-strategy.*")
        return restart_strategy_of(self.to_configuration())

    def set_execution_mode(self, execution_mode: "ExecutionMode") -> Self:
        """Keep the mode for ``get_execution_mode``: it was for batch programs of Java, and streams go by the runtime mode."""
        from penstock.config.execution_mode import ExecutionMode

        formerly("set_execution_mode", "set_runtime_mode of the environment")
        if not isinstance(execution_mode, ExecutionMode):
            raise ProgramError(
                f"an ExecutionMode such as ExecutionMode.PIPELINED is expected, not {execution_mode!r:.200}"
            )
        self.to_configuration().set(_EXECUTION_MODE, execution_mode.name)
        return self

    def get_execution_mode(self) -> "ExecutionMode":
        """The mode set last; PIPELINED by default."""
        from penstock.config.execution_mode import ExecutionMode

        formerly("get_execution_mode", "the option execution.runtime-mode")
        return ExecutionMode[self.to_configuration().get(_EXECUTION_MODE)]

    def register_kryo_type(self, type_class_name: str) -> Self:
        """Without influence: it is about Java's serializers."""
        formerly("register_kryo_type", _PICKLED)
        return self

    def register_pojo_type(self, type_class_name: str) -> Self:
        """Without influence: it is about Java's serializers."""
        formerly("register_pojo_type", _PICKLED)
        return self

    def register_type_with_kryo_serializer(self, type_class_name: str, serializer_class_name: str) -> Self:
        """Without influence: it is about Java's serializers."""
        formerly("register_type_with_kryo_serializer", _PICKLED)
        return self

    def add_default_kryo_serializer(self, type_class_name: str, serializer_class_name: str) -> Self:
        """Without influence: it is about Java's serializers."""
        formerly("add_default_kryo_serializer", _PICKLED)
        return self

    def get_registered_types_with_kryo_serializer_classes(self) -> dict[str, str]:
        """Empty: it is about Java's serializers."""
        formerly("get_registered_types_with_kryo_serializer_classes", _PICKLED)
        return {}

    def disable_auto_type_registration(self) -> Self:
        """Without influence: it is about Java's serializers."""
        formerly("disable_auto_type_registration", _PICKLED)
        return self

    def is_auto_type_registration_disabled(self) -> bool:
        """False: it is about Java's serializers."""
        formerly("is_auto_type_registration_disabled", _PICKLED)
        return False

    def set_default_input_dependency_constraint(
        self, input_dependency_constraint: "InputDependencyConstraint"
    ) -> Self:
        """Without influence since Flink 1.13."""
        formerly("set_default_input_dependency_constraint", _SCHEDULED)
        return self

    def get_default_input_dependency_constraint(self) -> "InputDependencyConstraint":
        """ANY, as in Flink since 1.13."""
        from penstock.config.input_dependency_constraint import InputDependencyConstraint

        formerly("get_default_input_dependency_constraint", _SCHEDULED)
        return InputDependencyConstraint.ANY
