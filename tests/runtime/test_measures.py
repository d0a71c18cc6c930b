"""What is measured of a subtask adds up to the time that it lives."""

import pytest

from penstock.runtime.task import measures
from penstock.runtime.task.measures import TaskMeasures


class Seconds:
    """A stop-watch in place of the monotonic clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(measures, "monotonic", lambda: self.now)


def test_idle_blocked_and_busy_time_add_up_to_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Seconds(monkeypatch)
    task = TaskMeasures()
    watch.now += 1
    task.was_idle()
    watch.now += 2
    task.was_idle()
    watch.now += 2
    task.is_busy()
    watch.now += 3
    task.was_blocked()
    watch.now += 5
    task.is_busy()
    assert task.read() == {
        "busyTimeMs": 4_000,
        "idleTimeMs": 4_000,
        "backPressuredTimeMs": 5_000,
        "currentInputWatermark": None,
        "longestBarrierPauseMs": 0,
    }


def test_a_time_that_still_lasts_counts_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Seconds(monkeypatch)
    task = TaskMeasures()
    task.was_idle()
    watch.now += 7
    task.watermark = 42
    for _ in range(2):
        assert task.read() == {
            "busyTimeMs": 0,
            "idleTimeMs": 7_000,
            "backPressuredTimeMs": 0,
            "currentInputWatermark": 42,
            "longestBarrierPauseMs": 0,
        }


def test_a_task_that_turns_from_idle_to_blocked_is_not_both(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Seconds(monkeypatch)
    task = TaskMeasures()
    task.was_idle()
    watch.now += 2
    task.was_blocked()
    watch.now += 3
    assert (task.read()["idleTimeMs"], task.read()["backPressuredTimeMs"]) == (2_000, 3_000)
