"""What is measured of a subtask: what it does itself, and what it waits for."""

import pytest

from penstock.runtime.task import measures
from penstock.runtime.task.measures import TaskMeasures
from penstock.runtime.task.progress import Progress


class Task:
    """Measures by a stop-watch in place of the monotonic clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(measures, "monotonic", lambda: self.now)
        self.measures = TaskMeasures()

    def step(self, seconds: float, progress: Progress, then: float) -> None:
        self.measures.step_begins()
        self.now += seconds
        self.measures.step_ends(progress)
        self.now += then

    def times(self) -> tuple[int, int, int]:
        """Busy, idle, back-pressured."""
        read = self.measures.read()
        return read["busyTimeMs"], read["idleTimeMs"], read["backPressuredTimeMs"]


def test_time_counts_as_what_the_last_step_has_said(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    task.step(1, Progress.IDLE, 2)
    task.step(0, Progress.IDLE, 2)
    task.step(3, Progress.BLOCKED, 5)
    task.step(0, Progress.MORE, 0)
    assert task.times() == (4_000, 4_000, 5_000)


def test_of_two_tasks_that_share_a_thread_each_is_busy_for_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = Task(monkeypatch)
    for _ in range(10):
        task.step(1, Progress.MORE, 3)  # while the other one is stepped
    assert task.times() == (10_000, 0, 0)


def test_a_time_that_still_lasts_counts_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    task.step(0, Progress.IDLE, 7)
    task.measures.watermark = 42
    for _ in range(2):
        assert task.measures.read() == {
            "busyTimeMs": 0,
            "idleTimeMs": 7_000,
            "backPressuredTimeMs": 0,
            "isBackPressured": False,
            "currentInputWatermark": 42,
            "longestBarrierPauseMs": 0,
        }


def test_a_task_that_turns_from_idle_to_blocked_is_not_both(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(monkeypatch)
    task.step(0, Progress.IDLE, 2)
    task.step(0, Progress.BLOCKED, 3)
    assert task.times() == (0, 2_000, 3_000)
