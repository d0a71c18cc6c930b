"""ExecutionConfig and restart strategies, as PyFlink 2.3 answers."""

from datetime import timedelta

import pytest

from penstock.config import Configuration
from penstock.config.execution_config import ExecutionConfig
from penstock.config.restart_strategies import RestartStrategies
from penstock.errors import OptionError


def test_defaults_are_those_of_flink():
    config = ExecutionConfig()
    assert config.get_auto_watermark_interval() == 200
    assert config.get_latency_tracking_interval() == 0
    assert config.get_max_parallelism() == -1
    assert config.get_task_cancellation_interval() == 30_000
    assert config.get_task_cancellation_timeout() == 180_000
    assert config.get_global_job_parameters() == {}
    assert config.has_auto_generated_uids_enabled()
    assert config.is_closure_cleaner_enabled()
    assert not config.is_object_reuse_enabled()
    assert not config.is_use_snapshot_compression()
    assert not config.has_generic_types_disabled()


def test_parallelism_can_be_set_taken_back_and_left_as_it_is():
    config = ExecutionConfig().set_parallelism(3)
    assert config.set_parallelism(ExecutionConfig.PARALLELISM_UNKNOWN).get_parallelism() == 3
    assert config.set_parallelism(ExecutionConfig.PARALLELISM_DEFAULT).get_parallelism() == -1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: c.set_parallelism(0),
        lambda c: c.set_parallelism(-3),
        lambda c: c.set_max_parallelism(0),
        lambda c: c.set_max_parallelism(32769),
        lambda c: c.set_auto_watermark_interval(-1),
        lambda c: c.set_task_cancellation_timeout(-5),
    ],
)
def test_values_that_make_no_sense_are_refused(wrong):
    with pytest.raises(OptionError):
        wrong(ExecutionConfig())


@pytest.mark.parametrize(
    ("switch_on", "switch_off", "is_on"),
    [
        ("enable_closure_cleaner", "disable_closure_cleaner", "is_closure_cleaner_enabled"),
        ("enable_object_reuse", "disable_object_reuse", "is_object_reuse_enabled"),
        ("enable_auto_generated_uids", "disable_auto_generated_uids", "has_auto_generated_uids_enabled"),
        ("disable_generic_types", "enable_generic_types", "has_generic_types_disabled"),
        ("enable_force_kryo", "disable_force_kryo", "is_force_kryo_enabled"),
        ("enable_force_avro", "disable_force_avro", "is_force_avro_enabled"),
    ],
)
def test_switches_go_on_and_off(switch_on, switch_off, is_on):
    config = ExecutionConfig()
    assert getattr(getattr(config, switch_on)(), is_on)()
    assert not getattr(getattr(config, switch_off)(), is_on)()


def test_settings_and_configuration_are_two_views_of_one_thing():
    configuration = Configuration().set_string("parallelism.default", "4")
    config = ExecutionConfig(configuration).set_global_job_parameters({"a": 1, "b": True})
    assert config.get_parallelism() == 4
    assert config.get_global_job_parameters() == {"a": "1", "b": "True"}
    assert config.set_auto_watermark_interval(50).get_auto_watermark_interval() == 50
    assert configuration.get_string("pipeline.auto-watermark-interval", "") == "50 ms"
    assert config == ExecutionConfig(Configuration(configuration))


def test_a_restart_strategy_becomes_options():
    configuration = Configuration()
    RestartStrategies.fixed_delay_restart(3, 1000).apply_to(configuration)
    assert configuration.to_dict() == {
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "3",
        "restart-strategy.fixed-delay.delay": "1 s",
    }
    strategy = RestartStrategies.failure_rate_restart(2, timedelta(minutes=1), 500)
    assert strategy.get_failure_interval() == timedelta(minutes=1)
    assert strategy.get_delay_between_attempts_interval() == timedelta(milliseconds=500)
    assert RestartStrategies.no_restart() == RestartStrategies.no_restart()
    assert RestartStrategies.no_restart() != RestartStrategies.fall_back_restart()
    with pytest.raises(OptionError, match="failure_interval"):
        RestartStrategies.failure_rate_restart(2, "1 min", 500)
