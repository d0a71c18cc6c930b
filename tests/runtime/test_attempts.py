"""The attempts of subtasks: what is remembered of those that are over."""

from dataclasses import replace
from typing import Any

import pytest

from penstock.dataflow.recovery import AttemptFailure
from penstock.errors import OptionError, ProgramError
from penstock.ids import SubtaskId, VertexId, WorkerIndex
from penstock.runtime.job.attempts import HISTORY_SIZE, Attempts, Findings, RunningAttempt, history_size
from penstock.runtime.job.coordinator import Failure
from tests.runtime.test_driver import Run, graph_of

A, B, C = (SubtaskId(VertexId(0), index) for index in range(3))


def findings(failed: set[SubtaskId] = frozenset(), **finished_at_ms: int) -> Findings:  # type: ignore[assignment]
    finished = {{"a": A, "b": B, "c": C}[name]: at for name, at in finished_at_ms.items()}
    return Findings(
        frozenset(failed),
        finished,
        lambda s: f"tm-{s.index}",
        lambda s: {"numRecordsIn": s.index},
        {A: {"seen": 7}},
    )


def test_an_attempt_that_is_over_is_remembered_with_where_it_was_and_what_it_did() -> None:
    attempts = Attempts([A, B, C], 0)
    assert attempts.running(A) == RunningAttempt(0, -1)
    attempts.run(None, 0, 100)
    attempts.stop([A, B, C], findings({A}, b=150), 200)
    attempts.run(None, 1, 300)
    (of_a,), (of_b,), (of_c,) = (attempts.past(each) for each in (A, B, C))
    assert [(each.state, each.began_ms, each.ended_ms) for each in (of_a, of_b, of_c)] == [
        ("FAILED", 100, 200), ("FINISHED", 100, 150), ("CANCELED", 100, 200),
    ]  # fmt: skip
    assert (of_a.number, of_a.place, of_a.values, of_a.accumulators) == (
        0,
        "tm-0",
        {"numRecordsIn": 0},
        {"seen": 7},
    )
    assert attempts.running(C) == RunningAttempt(1, 300)


def test_of_a_part_that_starts_again_only_its_attempts_are_over_and_each_once() -> None:
    attempts = Attempts([A, B, C], 0)
    attempts.run(None, 0, 100)
    attempts.stop([A], findings({A}), 200)
    attempts.stop([A, B], findings({B}), 210)  # another failure has widened it
    attempts.run([A, B], 1, 300)
    assert [len(attempts.past(each)) for each in (A, B, C)] == [1, 1, 0]
    assert attempts.past(A)[0].ended_ms == 200 and attempts.past(B)[0].state == "FAILED"
    assert attempts.running(C) == RunningAttempt(0, 100)


def test_a_subtask_of_another_driver_of_the_job_has_not_begun() -> None:
    attempts = Attempts([A], 2)
    attempts.run(None, 3, 100)
    assert attempts.running(B) == RunningAttempt(2, -1) and attempts.past(B) == ()


def test_only_the_last_attempts_are_remembered() -> None:
    attempts = Attempts([A], 0, most=2)
    for number in range(5):
        attempts.run(None, number, number)
        attempts.stop([A], findings(), number)
    assert [each.number for each in attempts.past(A)] == [3, 4]
    former = "job-manager.max-attempts-history-size"
    assert history_size({former: "3"}) == 3 and history_size({former: "3", HISTORY_SIZE: "2"}) == 2
    with pytest.raises(OptionError, match="is a number of attempts, not 'many'"):
        history_size({HISTORY_SIZE: "many"})


def test_a_driver_remembers_what_its_subtasks_did_before_they_failed() -> None:
    calls: list[Any] = []

    def fail_once(value: int) -> int:
        calls.append(value)
        if len(calls) == 3:
            raise RuntimeError("the third")
        return value

    collecting = graph_of(fail_once)
    (only,) = collecting.vertices
    graph = replace(collecting, vertices=(replace(only, operators=only.operators[:-1]),))
    graph.settings.update(
        {
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1",
            "restart-strategy.fixed-delay.delay": "0 ms",
        }
    )
    run = Run(graph).to_the_end()
    subtask = SubtaskId(VertexId(0), 0)
    (past,) = run.driver.attempts.past(subtask)
    assert (past.number, past.state) == (0, "FAILED") and 0 < past.began_ms <= past.ended_ms
    assert run.driver.attempts.running(subtask).number == 1


def test_a_failure_is_told_with_where_its_worker_was_then() -> None:
    attempts, error = Attempts([A, B, C], 0), ProgramError("broken")
    first = Failure(0, 10, error, A, WorkerIndex(0))
    of_nobody = Failure(1, 20, error)
    last = Failure(2, 30, error, worker=WorkerIndex(0))
    attempts.note_places([first], {0: "tm-1"})
    attempts.note_places([first, of_nobody], {0: "tm-2"})
    told = attempts.told([first, of_nobody, last], {0: "tm-3"})
    assert [(each.place, each.worker) for each in told] == [("tm-1", 0), ("", None), ("tm-3", 0)]
    assert [each.place for each in attempts.told([of_nobody, last], {0: "tm-3"})] == ["", "tm-3"]
    assert told[0] == AttemptFailure(0, 10, "ProgramError", str(error), A, 0, "tm-1")
