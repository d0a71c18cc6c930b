"""Callbacks at times: in order, once, and not after they were taken back."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.clock import ManualClock
from penstock.runtime.task.timekeeping import DueCalls


class Recorder:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.time = DueCalls(self.clock)
        self.called: list[int] = []


def test_nothing_is_called_before_its_time() -> None:
    r = Recorder()
    r.time.schedule(10, r.called.append)
    r.clock.set(9)
    assert not r.time.fire()
    assert (r.called, r.time.next_ms()) == ([], 10)
    r.clock.set(10)
    assert r.time.fire()
    assert (r.called, r.time.next_ms()) == ([10], None)


@given(st.lists(st.integers(0, 20)), st.integers(0, 20))
def test_what_is_due_is_called_in_order_of_time_and_then_of_scheduling(times: list[int], now: int) -> None:
    r = Recorder()
    called: list[tuple[int, int]] = []
    for number, at in enumerate(times):
        r.time.schedule(at, lambda at, number=number: called.append((at, number)))  # type: ignore[misc]
    r.clock.set(now)
    assert r.time.fire() == any(at <= now for at in times)
    assert called == sorted((at, number) for number, at in enumerate(times) if at <= now)
    assert r.time.next_ms() == min((at for at in times if at > now), default=None)


def test_what_was_taken_back_is_neither_called_nor_waited_for() -> None:
    r = Recorder()
    cancel = r.time.schedule(5, r.called.append)
    r.time.schedule(8, r.called.append)
    cancel()
    cancel()
    assert r.time.next_ms() == 8
    r.clock.set(8)
    r.time.fire()
    assert r.called == [8]


def test_a_callback_may_schedule_another_that_is_due_at_once() -> None:
    r = Recorder()

    def again(at: int) -> None:
        r.called.append(at)
        if at < 3:
            r.time.schedule(at + 1, again)

    r.time.schedule(1, again)
    r.clock.set(3)
    r.time.fire()
    assert r.called == [1, 2, 3]


def test_a_callback_may_take_back_another_that_is_due() -> None:
    r = Recorder()
    cancels = []
    r.time.schedule(1, lambda _: cancels[0]())
    cancels.append(r.time.schedule(2, r.called.append))
    r.clock.set(2)
    r.time.fire()
    assert r.called == []
