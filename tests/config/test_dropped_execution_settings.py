"""Methods that ExecutionConfig had up to Flink 1.20 work on, and say what to use."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import (
    ExecutionConfig,
    ExecutionMode,
    InputDependencyConstraint,
    RestartStrategies,
    RestartStrategyConfiguration,
)
from penstock.errors import ProgramError


@pytest.mark.parametrize(
    "call",
    [
        lambda config: config.register_kryo_type("a.B"),
        lambda config: config.register_pojo_type("a.B"),
        lambda config: config.register_type_with_kryo_serializer("a.B", "a.C"),
        lambda config: config.add_default_kryo_serializer("a.B", "a.C"),
        lambda config: config.disable_auto_type_registration(),
        lambda config: config.set_default_input_dependency_constraint(InputDependencyConstraint.ALL),
        lambda config: config.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1_000)),
    ],
)
def test_settings_give_the_configuration_back_and_warn(call: Callable[[ExecutionConfig], Any]) -> None:
    config = ExecutionConfig()
    with pytest.warns(DeprecationWarning, match="is gone from Flink since 2.0; use"):
        assert call(config) is config


def test_the_restart_strategy_becomes_options() -> None:
    config = ExecutionConfig()
    with pytest.warns(DeprecationWarning, match=r"restart-strategy\.\*"):
        config.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1_000))
    options = config.to_configuration().to_dict()
    assert options["restart-strategy.type"] == "fixed-delay"
    assert options["restart-strategy.fixed-delay.attempts"] == "3"


def test_something_else_than_a_strategy_is_refused() -> None:
    with (
        pytest.warns(DeprecationWarning, match="set_restart_strategy"),
        pytest.raises(ProgramError, match="RestartStrategyConfiguration such as"),
    ):
        ExecutionConfig().set_restart_strategy(3)  # type: ignore[arg-type]


def test_answers_are_those_of_a_configuration_where_nothing_was_registered() -> None:
    config = ExecutionConfig()
    with pytest.warns(DeprecationWarning, match="get_registered_types"):
        assert config.get_registered_types_with_kryo_serializer_classes() == {}
    with pytest.warns(DeprecationWarning, match="is_auto_type_registration"):
        assert config.is_auto_type_registration_disabled() is False
    with pytest.warns(DeprecationWarning, match="get_default_input"):
        assert config.get_default_input_dependency_constraint() is InputDependencyConstraint.ANY


@pytest.mark.parametrize(
    "strategy",
    [
        RestartStrategies.no_restart(),
        RestartStrategies.fall_back_restart(),
        RestartStrategies.fixed_delay_restart(3, 1_000),
        RestartStrategies.failure_rate_restart(2, 60_000, 500),
        RestartStrategies.exponential_delay_restart(100, 5_000, 2.0, 60_000, 0.0),
    ],
    ids=repr,
)
def test_the_restart_strategy_that_was_set_is_given_back(strategy: RestartStrategyConfiguration) -> None:
    config = ExecutionConfig()
    with pytest.warns(
        DeprecationWarning, match="restart_strategy is gone from Flink since 2.0; use the options"
    ):
        assert config.set_restart_strategy(strategy).get_restart_strategy() == strategy


def test_the_execution_mode_is_kept() -> None:
    config = ExecutionConfig()
    with pytest.warns(DeprecationWarning, match="get_execution_mode is gone from Flink since 2.0; use"):
        assert config.get_execution_mode() is ExecutionMode.PIPELINED
    with pytest.warns(DeprecationWarning, match="set_execution_mode is gone from Flink since 2.0; use"):
        assert config.set_execution_mode(ExecutionMode.BATCH_FORCED) is config
    with pytest.warns(DeprecationWarning, match="get_execution_mode"):
        assert config.get_execution_mode() is ExecutionMode.BATCH_FORCED


def test_something_else_than_an_execution_mode_is_refused() -> None:
    with (
        pytest.warns(DeprecationWarning, match="set_execution_mode"),
        pytest.raises(ProgramError, match=r"such as ExecutionMode\.PIPELINED is expected, not 'BATCH'"),
    ):
        ExecutionConfig().set_execution_mode("BATCH")  # type: ignore[arg-type]
