"""Operations whose outcome is asked for later."""

from concurrent.futures import Future

import pytest

from penstock.errors import OutsideError
from penstock.web.rest.triggers import TriggerNotFound, Triggers

WANTED = "AB" * 16


def test_an_operation_is_begun_once_for_each_job_and_id() -> None:
    triggers, begun = Triggers(), []

    def start() -> "Future[str]":
        begun.append(Future())
        return begun[-1]

    assert [triggers.begin(start, "a", WANTED) for _ in range(3)] == [WANTED.lower()] * 3
    assert len(begun) == 1
    begun[0].set_result("/savepoint")
    assert triggers.begin(start, "a", WANTED) == WANTED.lower()
    assert triggers.status(WANTED, of="a")["operation"] == {"location": "/savepoint"}
    triggers.begin(start, "b", WANTED)
    assert len(begun) == 2
    assert triggers.status(WANTED, of="b")["status"] == {"id": "IN_PROGRESS"}
    assert triggers.begin(start, "a") != triggers.begin(start, "a")


def test_what_cannot_begin_is_no_operation() -> None:
    def refuse() -> "Future[str]":
        raise OutsideError("no")

    triggers = Triggers()
    with pytest.raises(OutsideError):
        triggers.begin(refuse, "a", WANTED)
    with pytest.raises(TriggerNotFound):
        triggers.status(WANTED, of="a")


def test_an_outcome_is_kept_for_its_time_and_what_goes_on_for_as_long_as_it_does() -> None:
    now = [0.0]
    triggers = Triggers(10, lambda: now[0])
    ended: Future[str] = Future()
    one, other = triggers.begin(lambda: ended), triggers.begin(Future)
    now[0] = 100
    assert triggers.status(one)["status"] == {"id": "IN_PROGRESS"}
    ended.set_result("there")
    now[0] = 110
    assert triggers.status(one)["operation"] == {"location": "there"}
    now[0] = 111
    with pytest.raises(TriggerNotFound):
        triggers.status(one)
    assert triggers.status(other)["status"] == {"id": "IN_PROGRESS"}
