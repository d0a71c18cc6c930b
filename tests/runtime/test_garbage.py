import gc

import pytest

from penstock.datastream import StreamExecutionEnvironment
from penstock.errors import JobFailed
from penstock.runtime.worker.garbage import YOUNG_OBJECTS


def _thresholds_of_a_job() -> list[int]:
    env = StreamExecutionEnvironment.get_execution_environment()
    with env.from_elements(1).map(lambda value: gc.get_threshold()[0]).execute_and_collect() as results:
        return list(results)


def test_the_collector_runs_less_often_during_a_job_and_as_before_after_it() -> None:
    before = gc.get_threshold()
    assert _thresholds_of_a_job() == [YOUNG_OBJECTS]
    assert gc.get_threshold() == before


def test_a_threshold_of_the_user_that_is_higher_stays_as_it_is() -> None:
    before = gc.get_threshold()
    gc.set_threshold(10 * YOUNG_OBJECTS, 5, 5)
    try:
        assert _thresholds_of_a_job() == [10 * YOUNG_OBJECTS]
        assert gc.get_threshold() == (10 * YOUNG_OBJECTS, 5, 5)
    finally:
        gc.set_threshold(*before)


def test_the_threshold_comes_back_after_a_job_that_failed() -> None:
    before = gc.get_threshold()
    env = StreamExecutionEnvironment.get_execution_environment()
    env.from_elements(0).map(lambda value: 1 // value).print()
    with pytest.raises(JobFailed, match="ZeroDivisionError"):
        env.execute()
    assert gc.get_threshold() == before
