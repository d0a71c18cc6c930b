"""Messages as bytes, where something of the user's in them does not travel well."""

import sys
import threading
from types import ModuleType

import pytest

from penstock.deploy.local.message_encoding import decode, encode
from penstock.errors import NotSerializable, OptionError, OutsideError, PenstockError, UserCodeError
from penstock.ids import SubtaskId, VertexId, WorkerIndex
from penstock.runtime.messages import AssignSplits, MetricsReport, RowsCollected, SubtaskFailed, WorkerDied

SUBTASK = SubtaskId(VertexId(1), 0)


def send(message: object) -> object:
    return decode(encode(message, lambda token: None))


def failed(error: PenstockError) -> PenstockError:
    message = send(SubtaskFailed(WorkerIndex(3), SUBTASK, error))
    assert isinstance(message, SubtaskFailed)
    assert (message.worker, message.subtask) == (3, SUBTASK)
    return message.error


@pytest.mark.parametrize("kind", [OptionError, OutsideError, NotSerializable])
def test_an_error_keeps_its_type_message_and_places(kind: type[PenstockError]) -> None:
    error = failed(kind("it broke").at("in operator 'a'").at("in job 'b'"))
    assert type(error) is kind
    assert str(error) == "it broke\n  in operator 'a'\n  in job 'b'"


def test_a_cause_travels_with_the_traceback_of_the_worker() -> None:
    error = UserCodeError("outer")
    try:
        {}["missing"]  # type: ignore[index]
    except KeyError as cause:
        error.__cause__ = cause
    cause = failed(error).__cause__
    assert type(cause) is KeyError and cause.args == ("missing",)
    assert "raised in worker 3" in cause.__notes__[0] and '{}["missing"]' in cause.__notes__[0]


def test_an_error_that_holds_what_cannot_be_pickled_is_told_by_its_text() -> None:
    error = UserCodeError("with a lock").at("in operator 'a'")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    cause = ValueError("also with a lock")
    cause.lock = threading.Lock()  # type: ignore[attr-defined]
    error.__cause__ = cause
    arrived = failed(error)
    assert type(arrived) is UserCodeError
    assert str(arrived) == "with a lock\n  in operator 'a'"
    assert str(arrived.__cause__) == "ValueError: also with a lock"


def test_an_error_that_is_its_own_cause_comes_to_an_end() -> None:
    error = UserCodeError("a circle")
    error.__cause__ = error
    arrived = failed(error)
    assert str(arrived) == "a circle"
    assert arrived.__cause__ is None


def test_a_class_that_cannot_be_imported_stays_one_class() -> None:
    class Local:
        pass

    announced: list[str] = []
    payload = encode(RowsCollected(WorkerIndex(0), "c", [Local(), Local()]), announced.append)
    assert len(announced) == 1
    assert {type(row) for row in decode(payload).rows} == {Local}


def test_a_gauge_that_cannot_travel_is_shown_as_text() -> None:
    report = send(MetricsReport(WorkerIndex(0), {"a": 1, "b": threading.Lock(), "c": [1]}))
    assert isinstance(report, MetricsReport)
    assert report.metrics["a"] == 1 and report.metrics["c"] == [1]
    assert "lock" in report.metrics["b"]


def test_a_split_that_cannot_be_pickled_is_named() -> None:
    with pytest.raises(NotSerializable, match=r"_thread\.lock.*AssignSplits\.splits"):
        send(AssignSplits(SUBTASK, ["good", threading.Lock()]))


def test_a_message_can_be_sent_while_another_thread_imports_cloudpickle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle.cloudpickle", ModuleType("cloudpickle.cloudpickle"))
    assert send(WorkerDied(WorkerIndex(0), "it ended")) == WorkerDied(WorkerIndex(0), "it ended")
