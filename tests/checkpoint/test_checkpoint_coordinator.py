"""Checkpoints as a pure state machine: lists of events in, commands out."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checkpoint.coordinator import CheckpointCoordinator
from penstock.checkpoint.endings import Ending
from penstock.checkpoint.events import (
    Acknowledged,
    AnswerSavepoint,
    AttemptStarted,
    AttemptStopped,
    CheckpointCommand,
    CheckpointEvent,
    CheckpointWanted,
    CompletedCheckpoint,
    Declined,
    Ended,
    FailJob,
    NotifyAborted,
    NotifyComplete,
    RemoveLeftovers,
    SavepointRequest,
    SavepointWanted,
    Store,
    Stored,
    StoreFailed,
    Subsume,
    TimePassed,
    Trigger,
    Waiting,
)
from penstock.checkpoint.handles import OperatorStateHandle, StateFile
from penstock.checkpoint.manifest import Manifest
from penstock.checkpoint.settings import CheckpointSettings
from penstock.errors import OutsideError
from penstock.ids import SubtaskId, VertexId

A, B = SubtaskId(VertexId(0), 0), SubtaskId(VertexId(1), 0)
HANDLE = OperatorStateHandle("op", "op", 0, 1, 128, (StateFile("op-0", 3, "x"),))
ERROR = OutsideError("the disk is full")
SAVEPOINT = SavepointRequest(1, "/savepoints/one")


def manifest(checkpoint_id: int) -> Manifest:
    return Manifest(checkpoint_id, 0, "job", "a job")


class Run:
    """A coordinator whose tasks run, and the clock beside it."""

    def __init__(self, start: bool = True, **settings: int) -> None:
        given = {"interval_ms": 100, **settings}
        self.coordinator = CheckpointCoordinator(CheckpointSettings(**given))  # type: ignore[arg-type]
        self.now = 0
        if start:
            self.tell(AttemptStarted(frozenset((A, B))))

    def tell(self, event: CheckpointEvent) -> list[CheckpointCommand]:
        return self.coordinator.handle(event, self.now)

    def at(self, now: int) -> list[CheckpointCommand]:
        self.now = now
        return self.tell(TimePassed())

    def acknowledge(self, checkpoint_id: int, *subtasks: SubtaskId) -> list[CheckpointCommand]:
        return [
            command
            for subtask in subtasks or (A, B)
            for command in self.tell(Acknowledged(subtask, checkpoint_id, {"op": HANDLE}))
        ]

    def complete(self, checkpoint_id: int) -> list[CheckpointCommand]:
        self.acknowledge(checkpoint_id)
        return self.tell(Stored(checkpoint_id, manifest(checkpoint_id), f"/c/chk-{checkpoint_id}"))


def test_a_checkpoint_is_triggered_at_each_interval_once_the_last_is_complete() -> None:
    run = Run()
    assert run.coordinator.next_ms() == 100
    assert run.at(99) == []
    assert run.at(100) == [Trigger(1, 100)]
    assert run.at(250) == []
    assert run.complete(1) == [NotifyComplete(1), Trigger(2, 250)]


def test_the_manifest_is_stored_when_every_subtask_has_acknowledged() -> None:
    run = Run()
    run.at(100)
    assert run.acknowledge(1, A) == []
    assert run.acknowledge(1, A) == []
    assert run.acknowledge(1, B) == [Store(1, 100, (HANDLE, HANDLE), frozenset())]


def test_the_pause_counts_from_the_end_of_the_last_checkpoint() -> None:
    run = Run(min_pause_ms=500)
    run.at(100)
    run.now = 150
    run.complete(1)
    assert run.coordinator.next_ms() == 650
    assert run.at(650) == [Trigger(2, 650)]


def test_several_checkpoints_may_be_under_way_and_a_newer_one_gives_the_older_up() -> None:
    run = Run(max_concurrent=2)
    assert run.at(100) == [Trigger(1, 100)]
    assert run.at(200) == [Trigger(2, 200)]
    assert run.at(300) == []
    commands = run.complete(2)
    assert commands[:2] == [NotifyComplete(2), NotifyAborted(1, "a newer checkpoint is complete")]
    assert run.tell(Stored(1, manifest(1), "/c/chk-1")) == [RemoveLeftovers(1)]


def test_a_declined_checkpoint_fails_the_job_where_none_may_fail() -> None:
    run = Run()
    run.at(100)
    aborted, failed = run.tell(Declined(1, A, ERROR))
    assert aborted == NotifyAborted(1, "the disk is full")
    assert isinstance(failed, FailJob)
    assert "0 failed checkpoints in a row are tolerated" in failed.error.message
    assert failed.error.__cause__ is ERROR


def test_failures_count_in_a_row() -> None:
    run = Run(tolerable_failures=1)
    run.at(100)
    assert run.tell(Declined(1, A, ERROR)) == [NotifyAborted(1, "the disk is full")]
    run.at(200)
    run.complete(2)
    run.at(300)
    assert run.tell(StoreFailed(3, ERROR)) == [NotifyAborted(3, "the disk is full")]
    run.at(400)
    assert isinstance(run.tell(StoreFailed(4, ERROR))[1], FailJob)


def test_a_late_checkpoint_is_given_up_and_names_who_is_missing() -> None:
    run = Run(timeout_ms=50, tolerable_failures=9)
    run.at(100)
    run.acknowledge(1, A)
    assert run.coordinator.next_ms() == 150
    [aborted] = run.at(150)
    assert isinstance(aborted, NotifyAborted)
    assert "within 50 ms" in aborted.reason
    assert "missing: 1[0]. A task takes part between two records" in aborted.reason
    assert run.acknowledge(1, B) == [RemoveLeftovers(1)]


def test_a_subtask_that_has_ended_counts_as_finished_unless_its_part_is_on_the_way() -> None:
    run = Run()
    run.at(100)
    assert run.tell(Ended(A, last_checkpoint_id=1)) == []
    assert run.acknowledge(1, B) == []
    assert run.acknowledge(1, A) == [Store(1, 100, (HANDLE, HANDLE), frozenset())]
    run.tell(Stored(1, manifest(1), None))
    run.at(200)
    assert run.acknowledge(2, B) == [Store(2, 200, (HANDLE,), frozenset({A}))]


def test_the_last_checkpoint_comes_at_once_when_everybody_waits_for_it() -> None:
    run = Run()
    assert run.tell(Waiting(A)) == []
    assert run.tell(Waiting(B)) == [Trigger(1, 0)]
    assert run.coordinator.next_ms() == 600_000


def test_no_checkpoint_is_taken_behind_the_end_of_a_task_where_that_is_not_wanted() -> None:
    run = Run(after_tasks_finish=False)
    run.tell(Ended(A))
    assert run.at(1_000) == []


def test_older_checkpoints_are_subsumed_beyond_the_number_that_is_kept() -> None:
    run = Run(retained=2)
    for checkpoint_id in (1, 2):
        run.at(checkpoint_id * 100)
        assert run.complete(checkpoint_id) == [NotifyComplete(checkpoint_id)]
    first, second = run.coordinator.completed
    run.at(300)
    assert run.complete(3) == [NotifyComplete(3), Subsume(first, (second, run.coordinator.completed[-1]))]


def test_what_the_job_was_started_from_is_not_removed_unless_it_was_claimed() -> None:
    for owned in (False, True):
        start = CompletedCheckpoint(manifest(7), "/savepoint", owned)
        coordinator = CheckpointCoordinator(CheckpointSettings(interval_ms=100), (start,))
        coordinator.handle(AttemptStarted(frozenset((A,))), 0)
        assert coordinator.handle(TimePassed(), 100) == [Trigger(8, 100)]
        coordinator.handle(Acknowledged(A, 8, {}), 100)
        commands = coordinator.handle(Stored(8, manifest(8), None), 100)
        assert any(isinstance(command, Subsume) for command in commands) is owned


def test_a_savepoint_is_taken_at_once_and_is_no_checkpoint_to_go_back_to() -> None:
    run = Run()
    run.at(100)
    assert run.tell(SavepointWanted(SAVEPOINT)) == [Trigger(2, 100, SAVEPOINT)]
    assert run.acknowledge(2) == [Store(2, 100, (HANDLE, HANDLE), frozenset(), SAVEPOINT)]
    stored = run.tell(Stored(2, manifest(2), SAVEPOINT.directory))
    assert stored == [AnswerSavepoint(SAVEPOINT, SAVEPOINT.directory)]  # and nothing is committed by it
    assert run.coordinator.latest is None


def test_the_savepoint_that_ends_the_job_commits_and_is_gone_back_to_but_never_removed() -> None:
    run = Run()
    run.at(100)
    run.complete(1)
    request = SavepointRequest(1, "/s", Ending.SUSPEND)
    run.tell(SavepointWanted(request))
    run.acknowledge(2)
    stored = run.tell(Stored(2, manifest(2), "/s"))
    assert stored[:2] == [NotifyComplete(2), AnswerSavepoint(request, "/s")]
    assert isinstance(stored[2], Subsume)
    latest = run.coordinator.latest
    assert latest is not None
    assert (latest.checkpoint_id, latest.owned) == (2, False)


def test_a_failed_savepoint_does_not_count_against_the_job() -> None:
    run = Run()
    run.tell(SavepointWanted(SAVEPOINT))
    assert run.tell(Declined(1, A, ERROR)) == [
        NotifyAborted(1, "the disk is full", SAVEPOINT),
        AnswerSavepoint(SAVEPOINT, None, ERROR),
    ]


def test_a_job_whose_sources_have_ended_for_a_savepoint_that_fails_starts_again() -> None:
    run = Run(tolerable_failures=9)
    request = SavepointRequest(1, "/s", Ending.DRAIN)
    run.tell(SavepointWanted(request))
    aborted, answered, failed = run.tell(Declined(1, A, ERROR))[:3]
    assert aborted == NotifyAborted(1, "the disk is full", request)
    assert answered == AnswerSavepoint(request, None, ERROR)
    assert isinstance(failed, FailJob)
    assert "it goes back to its last checkpoint: the disk is full" in failed.error.message
    assert failed.error.__cause__ is ERROR


def test_a_job_that_fails_while_its_sources_end_for_a_savepoint_is_not_failed_twice() -> None:
    run = Run()
    request = SavepointRequest(1, "/s", Ending.DRAIN)
    run.tell(SavepointWanted(request))
    commands = run.tell(AttemptStopped("a worker was lost"))
    assert not any(isinstance(command, FailJob) for command in commands)


def test_behind_the_savepoint_that_ends_the_job_no_checkpoint_is_taken_unless_it_fails() -> None:
    run = Run()
    request = SavepointRequest(1, "/s", Ending.SUSPEND)
    run.tell(SavepointWanted(request))
    assert run.at(500) == []
    assert run.tell(Declined(1, A, ERROR))[-1] == Trigger(2, 500)


def test_a_failure_gives_everything_up_and_numbers_are_never_used_twice() -> None:
    run = Run()
    run.at(100)
    [aborted] = run.tell(AttemptStopped("a worker was lost"))
    assert aborted == NotifyAborted(1, "a worker was lost")
    assert run.tell(SavepointWanted(SAVEPOINT))[0].path is None  # type: ignore[union-attr]
    assert run.at(1_000) == []
    run.tell(AttemptStarted(frozenset((A, B))))
    assert run.at(1_100) == [Trigger(2, 1_100)]


def test_a_checkpoint_can_be_asked_for_without_an_interval() -> None:
    coordinator = CheckpointCoordinator(CheckpointSettings())
    coordinator.handle(AttemptStarted(frozenset((A,))), 0)
    assert coordinator.next_ms() is None
    assert coordinator.handle(CheckpointWanted(), 5) == [Trigger(1, 5)]


EVENTS = st.one_of(
    st.builds(Acknowledged, st.sampled_from([A, B]), st.integers(1, 6), st.just({"op": HANDLE})),
    st.builds(Declined, st.integers(1, 6), st.just(A), st.just(ERROR)),
    st.builds(Ended, st.sampled_from([A, B]), st.integers(0, 6)),
    st.builds(Waiting, st.sampled_from([A, B])),
    st.builds(lambda i: Stored(i, manifest(i), f"/c/chk-{i}"), st.integers(1, 6)),
    st.builds(StoreFailed, st.integers(1, 6), st.just(ERROR)),
    st.just(AttemptStopped("stopped")),
    st.just(AttemptStarted(frozenset((A, B)))),
    st.just(SavepointWanted(SAVEPOINT)),
    st.just(TimePassed()),
)


@pytest.mark.parametrize("retained", [1, 2])
@given(events=st.lists(EVENTS, max_size=60), concurrent=st.integers(1, 3))
def test_whatever_happens_nothing_that_is_needed_is_removed(
    events: Iterable[CheckpointEvent], concurrent: int, retained: int
) -> None:
    run = Run(max_concurrent=concurrent, retained=retained, tolerable_failures=3)
    triggered: list[int] = []
    stored: set[int] = set()
    ended: dict[int, str] = {}
    for event in events:
        run.now += 60
        if isinstance(event, Stored) and event.checkpoint_id not in stored:
            continue  # nobody was told to store it
        for command in run.tell(event):
            match command:
                case Trigger(checkpoint_id):
                    triggered.append(checkpoint_id)
                case Store(checkpoint_id):
                    assert checkpoint_id not in stored
                    stored.add(checkpoint_id)
                case NotifyComplete(checkpoint_id):
                    assert checkpoint_id in stored
                    assert ended.setdefault(checkpoint_id, "complete") == "complete"
                case NotifyAborted(checkpoint_id):
                    assert checkpoint_id not in ended
                    ended[checkpoint_id] = "aborted"
                case Subsume(checkpoint, kept):
                    assert checkpoint not in kept
                    assert checkpoint not in run.coordinator.completed
                case RemoveLeftovers(checkpoint_id):
                    assert ended.get(checkpoint_id) != "complete"
    assert triggered == sorted(set(triggered))
    kept = [completed.checkpoint_id for completed in run.coordinator.completed]
    assert kept == sorted(kept)
    assert len(kept) <= retained
