"""The job as a state machine: lists of events in, commands out, with failures, cancellation and deaths in every state."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.accumulators import IntCounter
from penstock.dataflow.submission import JobStatus
from penstock.errors import JobCancelled, UserCodeError, WorkerLost
from penstock.ids import SubtaskId, VertexId, WorkerIndex
from penstock.runtime.job.coordinator import (
    CancelRequested,
    ChangeStatus,
    Command,
    Event,
    JobCoordinator,
    Release,
    Send,
    StartWorkers,
    StopTimedOut,
)
from penstock.runtime.job.restart_strategies import FixedDelay
from penstock.runtime.messages import (
    Deploy,
    OpenTasks,
    StartTasks,
    StopTasks,
    SubtaskFailed,
    SubtaskFinished,
    TasksDeployed,
    TasksOpened,
    TasksStopped,
    WorkerDied,
    WorkerRegistered,
)
from penstock.runtime.refused_states import RefusedStates
from tests.runtime.graphs import deployment_of, line_of

DEPLOYMENT = deployment_of(line_of(2, 2))
W0, W1 = WorkerIndex(0), WorkerIndex(1)
ADDRESS = {W0: ("here", 1), W1: ("there", 2)}
SUBTASKS = [SubtaskId(VertexId(vertex), index) for vertex in (0, 1) for index in (0, 1)]

REGISTERED: list[Event] = [WorkerRegistered(W0, ADDRESS[W0]), WorkerRegistered(W1, ADDRESS[W1])]
DEPLOYED: list[Event] = [*REGISTERED, TasksDeployed(W0), TasksDeployed(W1)]
RUNNING: list[Event] = [*DEPLOYED, TasksOpened(W0), TasksOpened(W1)]
FINISHED: list[Event] = [*RUNNING, *map(SubtaskFinished, SUBTASKS)]
ERROR = UserCodeError("it broke")
FAILURE = SubtaskFailed(W0, SUBTASKS[0], ERROR)


def job(events: Iterable[Event] = ()) -> JobCoordinator:
    coordinator = JobCoordinator(DEPLOYMENT)
    assert coordinator.begin() == [StartWorkers((W0, W1))]
    for event in events:
        coordinator.handle(event)
    return coordinator


def stops(*workers: WorkerIndex) -> list[Command]:
    return [Send(worker, StopTasks()) for worker in workers]


def ends(status: JobStatus) -> list[Command]:
    return [ChangeStatus(status), Release()]


# The way that goes well -------------------------------------------------------------------------------------------------


def test_tasks_are_deployed_once_every_worker_has_registered() -> None:
    coordinator = job()
    assert coordinator.handle(REGISTERED[0]) == []
    assert coordinator.handle(REGISTERED[1]) == [
        Send(W0, Deploy(DEPLOYMENT, ADDRESS)),
        Send(W1, Deploy(DEPLOYMENT, ADDRESS)),
    ]


def test_tasks_are_opened_once_every_worker_has_deployed() -> None:
    coordinator = job(REGISTERED)
    assert coordinator.handle(TasksDeployed(W1)) == []
    assert coordinator.handle(TasksDeployed(W0)) == [Send(W0, OpenTasks()), Send(W1, OpenTasks())]
    assert coordinator.status is JobStatus.CREATED


def test_what_workers_refuse_of_restored_states_is_one_failure_and_the_last() -> None:
    coordinator = JobCoordinator(DEPLOYMENT, FixedDelay(100, 0))
    coordinator.begin()
    for event in DEPLOYED:
        coordinator.handle(event)
    one, two = (RefusedStates(f"no {name}", {name: f"the {name}"}) for name in ("first", "second"))
    assert coordinator.handle(TasksOpened(W0, {SUBTASKS[2]: one})) == []
    assert coordinator.handle(TasksOpened(W1, {SUBTASKS[1]: two, SUBTASKS[3]: one})) == [
        ChangeStatus(JobStatus.FAILING),
        *stops(W0, W1),
    ]
    assert str(coordinator.failure) == (
        "2 states do not fit what was saved of them:\n  - the first\n  - the second"
    )
    assert coordinator.failures[0].subtask == SUBTASKS[1]


def test_tasks_start_once_those_of_every_worker_are_open() -> None:
    coordinator = job(DEPLOYED)
    assert coordinator.handle(TasksOpened(W1)) == []
    assert coordinator.handle(TasksOpened(W0)) == [
        ChangeStatus(JobStatus.RUNNING),
        Send(W0, StartTasks()),
        Send(W1, StartTasks()),
    ]


def test_the_job_is_finished_with_its_last_subtask() -> None:
    coordinator = job(FINISHED[:-1])
    assert coordinator.status is JobStatus.RUNNING
    assert coordinator.handle(FINISHED[-1]) == ends(JobStatus.FINISHED)
    assert coordinator.failure is None


def test_a_worker_that_is_alone_has_no_address() -> None:
    coordinator = JobCoordinator(deployment_of(line_of(1)))
    coordinator.begin()
    assert coordinator.handle(WorkerRegistered(W0, None)) == [Send(W0, Deploy(coordinator.deployment, {}))]


def test_accumulators_of_all_subtasks_are_merged() -> None:
    coordinator = job(RUNNING)
    for number, subtask in enumerate(SUBTASKS):
        coordinator.handle(SubtaskFinished(subtask, {"seen": IntCounter(number)}))
    assert coordinator.accumulators["seen"].get_local_value() == 6


# The end, from every state ----------------------------------------------------------------------------------------------

ENDINGS: list[tuple[Event, JobStatus, JobStatus]] = [
    (FAILURE, JobStatus.FAILING, JobStatus.FAILED),
    (CancelRequested(), JobStatus.CANCELLING, JobStatus.CANCELED),
]


@pytest.mark.parametrize(("ending", "on_the_way", "at_last"), ENDINGS)
def test_before_any_worker_is_there_the_job_ends_at_once(
    ending: Event, on_the_way: JobStatus, at_last: JobStatus
) -> None:
    assert job().handle(ending) == [ChangeStatus(on_the_way), *ends(at_last)]


@pytest.mark.parametrize(("ending", "on_the_way", "at_last"), ENDINGS)
def test_only_the_workers_that_are_there_are_stopped(
    ending: Event, on_the_way: JobStatus, at_last: JobStatus
) -> None:
    coordinator = job(REGISTERED[:1])
    assert coordinator.handle(ending) == [ChangeStatus(on_the_way), *stops(W0)]
    assert coordinator.handle(TasksStopped(W0)) == ends(at_last)


@pytest.mark.parametrize("before", [REGISTERED, DEPLOYED[:-1], DEPLOYED, FINISHED[:-1]])
@pytest.mark.parametrize(("ending", "on_the_way", "at_last"), ENDINGS)
def test_in_every_other_state_all_workers_are_stopped_and_waited_for(
    before: list[Event], ending: Event, on_the_way: JobStatus, at_last: JobStatus
) -> None:
    coordinator = job(before)
    assert coordinator.handle(ending) == [ChangeStatus(on_the_way), *stops(W0, W1)]
    assert coordinator.handle(TasksStopped(W1)) == []
    assert coordinator.handle(TasksStopped(W0)) == ends(at_last)


def test_the_failure_of_a_job_is_its_first() -> None:
    coordinator = job([*RUNNING, FAILURE, SubtaskFailed(W1, None, UserCodeError("a consequence"))])
    assert coordinator.failure is ERROR
    assert coordinator.status is JobStatus.FAILING


def test_a_failure_while_the_job_is_being_cancelled_does_not_make_it_fail() -> None:
    coordinator = job([*RUNNING, CancelRequested(), FAILURE, TasksStopped(W0), TasksStopped(W1)])
    assert coordinator.status is JobStatus.CANCELED
    assert isinstance(coordinator.failure, JobCancelled)


def test_a_job_that_is_failing_cannot_be_cancelled() -> None:
    coordinator = job([*RUNNING, FAILURE])
    assert coordinator.handle(CancelRequested()) == []
    assert coordinator.status is JobStatus.FAILING


def test_the_accumulators_of_stopped_tasks_are_kept() -> None:
    coordinator = job([*RUNNING, CancelRequested(), TasksStopped(W0, {"seen": IntCounter(3)})])
    assert coordinator.accumulators["seen"].get_local_value() == 3


# Deaths -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [REGISTERED, DEPLOYED[:-1], DEPLOYED, FINISHED[:-1]])
def test_the_death_of_a_worker_fails_the_job_and_the_others_are_stopped(before: list[Event]) -> None:
    coordinator = job(before)
    assert coordinator.handle(WorkerDied(W1, "killed")) == [ChangeStatus(JobStatus.FAILING), *stops(W0)]
    assert coordinator.handle(TasksStopped(W0)) == ends(JobStatus.FAILED)
    assert isinstance(coordinator.failure, WorkerLost)
    assert "worker 1 was lost: killed" in str(coordinator.failure)


def test_a_worker_that_never_came_up_fails_the_job() -> None:
    coordinator = job(REGISTERED[:1])
    assert coordinator.handle(WorkerDied(W1, "cannot be started")) == [
        ChangeStatus(JobStatus.FAILING),
        *stops(W0),
    ]
    assert coordinator.handle(TasksStopped(W0)) == ends(JobStatus.FAILED)


@pytest.mark.parametrize(("ending", "on_the_way", "at_last"), ENDINGS)
def test_a_worker_that_dies_while_it_is_being_stopped_is_not_waited_for(
    ending: Event, on_the_way: JobStatus, at_last: JobStatus
) -> None:
    coordinator = job([*RUNNING, ending, TasksStopped(W0)])
    assert coordinator.handle(WorkerDied(W1, "killed")) == ends(at_last)


def test_when_all_workers_die_the_job_ends_with_the_last() -> None:
    coordinator = job([*RUNNING, WorkerDied(W0, "killed")])
    assert coordinator.handle(WorkerDied(W1, "killed")) == ends(JobStatus.FAILED)
    assert "worker 0" in str(coordinator.failure)


def test_workers_that_do_not_stop_in_time_are_given_up() -> None:
    coordinator = job([*RUNNING, CancelRequested(), TasksStopped(W0)])
    assert coordinator.handle(StopTimedOut()) == ends(JobStatus.CANCELED)


# Late messages ----------------------------------------------------------------------------------------------------------


def test_a_time_out_that_nobody_waits_for_changes_nothing() -> None:
    coordinator = job([*RUNNING])
    assert coordinator.handle(StopTimedOut()) == []
    assert coordinator.handle(CancelRequested()) == [ChangeStatus(JobStatus.CANCELLING), *stops(W0, W1)]


def test_workers_that_come_up_while_the_job_ends_get_nothing_to_do() -> None:
    coordinator = job([REGISTERED[0], CancelRequested()])
    assert coordinator.handle(REGISTERED[1]) == []
    assert coordinator.handle(TasksStopped(W0)) == ends(JobStatus.CANCELED)


def test_deployments_that_end_while_the_job_ends_do_not_start_it() -> None:
    coordinator = job([*REGISTERED, TasksDeployed(W0), FAILURE])
    assert coordinator.handle(TasksDeployed(W1)) == []


def test_subtasks_that_end_while_the_job_ends_do_not_finish_it() -> None:
    coordinator = job([*RUNNING, CancelRequested()])
    assert [coordinator.handle(SubtaskFinished(subtask)) for subtask in SUBTASKS] == [[]] * 4
    assert coordinator.status is JobStatus.CANCELLING


@pytest.mark.parametrize(
    "over",
    [FINISHED, [CancelRequested()], [FAILURE], [*RUNNING, FAILURE, TasksStopped(W0), TasksStopped(W1)]],
)
@pytest.mark.parametrize(
    "late",
    [
        *RUNNING,
        FAILURE,
        CancelRequested(),
        StopTimedOut(),
        TasksStopped(W0),
        WorkerDied(W0, "gone"),
        FINISHED[-1],
    ],
)
def test_nothing_moves_a_job_that_is_over(over: list[Event], late: Event) -> None:
    coordinator = job(over)
    status, failure = coordinator.status, coordinator.failure
    assert status.is_globally_terminal_state()
    assert coordinator.handle(late) == []
    assert (coordinator.status, coordinator.failure) == (status, failure)


def test_the_story_tells_what_happened_in_which_state_and_has_a_bound() -> None:
    coordinator = job([*RUNNING, FAILURE])
    assert coordinator.story[0].startswith("CREATED: WorkerRegistered")
    assert coordinator.story[-1].startswith("RUNNING: SubtaskFailed")
    for _ in range(500):
        coordinator.handle(CancelRequested())
    assert len(coordinator.story) == 200


# Whatever happens -------------------------------------------------------------------------------------------------------

MOVES: list[Callable[[WorkerIndex], Event]] = [
    lambda w: WorkerRegistered(w, ADDRESS[w]),
    TasksDeployed,
    TasksOpened,
    lambda w: SubtaskFinished(SUBTASKS[w]),
    lambda w: SubtaskFinished(SUBTASKS[w + 2]),
    lambda w: SubtaskFailed(w, None, ERROR),
    TasksStopped,
    lambda w: WorkerDied(w, "killed"),
    lambda w: CancelRequested(),
    lambda w: StopTimedOut(),
]


@given(st.lists(st.tuples(st.sampled_from(MOVES), st.sampled_from([W0, W1])), max_size=25))
def test_whatever_happens_the_workers_are_released_exactly_once_at_the_end(
    moves: list[tuple[Callable[[WorkerIndex], Event], WorkerIndex]],
) -> None:
    coordinator = job()
    commands: list[Command] = []
    for move, worker in moves:
        commands += coordinator.handle(move(worker))
    over = coordinator.status.is_globally_terminal_state()
    assert commands.count(Release()) == over
    statuses = [command.status for command in commands if isinstance(command, ChangeStatus)]
    assert len(statuses) == len(set(statuses))
    assert not over or commands[-2:] == ends(coordinator.status)
    assert (coordinator.failure is None) == (
        coordinator.status in (JobStatus.CREATED, JobStatus.RUNNING, JobStatus.FINISHED)
    )


@given(st.lists(st.tuples(st.sampled_from(MOVES), st.sampled_from([W0, W1])), max_size=15))
def test_from_wherever_it_is_a_job_can_be_brought_to_its_end(
    moves: list[tuple[Callable[[WorkerIndex], Event], WorkerIndex]],
) -> None:
    coordinator = job(move(worker) for move, worker in moves)
    coordinator.handle(CancelRequested())
    coordinator.handle(StopTimedOut())
    assert coordinator.status.is_globally_terminal_state()
