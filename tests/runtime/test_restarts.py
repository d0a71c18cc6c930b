"""How a job starts again: the coordinator's way from a failure to the next attempt, and the strategies that decide."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checkpoint.place import CheckpointPlace
from penstock.dataflow.recovery import MOST_FAILURES_TOLD
from penstock.dataflow.submission import JobStatus
from penstock.errors import NotSerializable, OptionError, RunSuperseded, StateError, UserCodeError
from penstock.ids import SubtaskId, VertexId, WorkerIndex
from penstock.runtime.job.coordinator import (
    CancelRequested,
    ChangeStatus,
    Command,
    Event,
    GiveUpWorkers,
    JobBroken,
    JobCoordinator,
    Release,
    RestartDue,
    Send,
    StartAgain,
    StartWorkers,
    StopTimedOut,
)
from penstock.runtime.job.restart_strategies import (
    ExponentialDelay,
    FixedDelay,
    NoRestart,
    restart_strategy,
)
from penstock.runtime.messages import (
    Deploy,
    OpenTasks,
    PrepareToRestore,
    Renew,
    Restore,
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
from tests.runtime.graphs import deployment_of, line_of

W0, W1 = WorkerIndex(0), WorkerIndex(1)
RUNNING: list[Event] = [
    WorkerRegistered(W0, ("here", 1)),
    WorkerRegistered(W1, ("there", 2)),
    TasksDeployed(W0),
    TasksDeployed(W1),
    TasksOpened(W0),
    TasksOpened(W1),
]
SUBTASKS = [SubtaskId(VertexId(vertex), index) for vertex in (0, 1) for index in (0, 1)]
FAILURE = SubtaskFailed(W0, SUBTASKS[0], UserCodeError("it broke"))
RESTORE = Restore(4, CheckpointPlace("/c/chk-4"), {})


def job(events: Iterable[Event], attempts: int = 1) -> JobCoordinator:
    coordinator = JobCoordinator(deployment_of(line_of(2, 2)), FixedDelay(attempts, 50))
    coordinator.begin()
    for event in events:
        coordinator.handle(event)
    return coordinator


def test_all_tasks_stop_before_the_job_waits_for_its_next_attempt() -> None:
    coordinator = job(RUNNING)
    assert coordinator.handle(FAILURE) == [
        ChangeStatus(JobStatus.RESTARTING),
        Send(W0, StopTasks()),
        Send(W1, StopTasks()),
    ]
    assert coordinator.handle(TasksStopped(W1)) == []
    assert coordinator.handle(TasksStopped(W0)) == [StartAgain(50)]


def test_living_workers_are_kept_and_deployed_anew_with_what_was_restored() -> None:
    coordinator = job([*RUNNING, FAILURE, TasksStopped(W0), TasksStopped(W1)])
    assert coordinator.handle(RestartDue(RESTORE)) == [Send(W0, Renew()), Send(W1, Renew())]
    assert coordinator.handle(WorkerRegistered(W0, ("here", 3))) == []
    deploys = coordinator.handle(WorkerRegistered(W1, ("there", 4)))
    deployment = coordinator.deployment
    assert (deployment.attempt, deployment.restore) == (1, RESTORE)
    peers = {W0: ("here", 3), W1: ("there", 4)}
    assert deploys == [Send(W0, Deploy(deployment, peers)), Send(W1, Deploy(deployment, peers))]
    coordinator.handle(TasksDeployed(W0))
    assert coordinator.handle(TasksDeployed(W1)) == [Send(W0, OpenTasks()), Send(W1, OpenTasks())]
    coordinator.handle(TasksOpened(W0))
    assert coordinator.handle(TasksOpened(W1)) == [
        ChangeStatus(JobStatus.RUNNING),
        Send(W0, StartTasks()),
        Send(W1, StartTasks()),
    ]
    for subtask in SUBTASKS:
        coordinator.handle(SubtaskFinished(subtask))
    assert coordinator.status is JobStatus.FINISHED


def test_a_dead_worker_is_replaced_at_once_and_comes_up_while_the_job_waits() -> None:
    coordinator = job(RUNNING)
    assert coordinator.handle(WorkerDied(W1, "killed")) == [
        ChangeStatus(JobStatus.RESTARTING),
        Send(W0, StopTasks()),
        StartWorkers((W1,)),
    ]
    assert coordinator.handle(TasksStopped(W0)) == [StartAgain(50)]
    assert coordinator.handle(WorkerRegistered(W1, ("there", 5))) == []
    assert coordinator.handle(RestartDue(None)) == [Send(W0, Renew())]
    deployed, *others = coordinator.handle(WorkerRegistered(W0, ("here", 3)))
    assert deployed == Send(W0, Deploy(coordinator.deployment, {W0: ("here", 3), W1: ("there", 5)}))
    assert len(others) == 1


def test_a_replacement_loads_what_restoring_takes_while_the_job_waits() -> None:
    deployment = replace(deployment_of(line_of(2, 2)), takes_checkpoints=True)
    coordinator = JobCoordinator(deployment, FixedDelay(1, 50))
    coordinator.begin()
    for event in [*RUNNING, WorkerDied(W1, "killed")]:
        coordinator.handle(event)
    assert coordinator.handle(WorkerRegistered(W1, ("there", 5))) == [Send(W1, PrepareToRestore())]


def test_a_replacement_that_is_late_is_waited_for() -> None:
    coordinator = job([*RUNNING, WorkerDied(W1, "killed"), TasksStopped(W0)])
    assert coordinator.handle(RestartDue(None)) == [Send(W0, Renew())]
    assert coordinator.handle(WorkerRegistered(W0, ("here", 3))) == []
    assert len(coordinator.handle(WorkerRegistered(W1, ("there", 5)))) == 2


def test_when_all_workers_were_replaced_the_next_attempt_is_deployed_when_it_is_due() -> None:
    deaths: list[Event] = [WorkerDied(W1, "killed"), WorkerDied(W0, "killed")]
    coordinator = job([*RUNNING, *deaths, WorkerRegistered(W0, ("a", 1)), WorkerRegistered(W1, ("b", 2))])
    assert [type(command) for command in coordinator.handle(RestartDue(None))] == [Send, Send]
    assert coordinator.deployment.attempt == 1


def test_a_replacement_that_dies_is_started_again_with_the_next_attempt_only() -> None:
    coordinator = job([*RUNNING, WorkerDied(W1, "killed"), TasksStopped(W0)])
    assert coordinator.handle(WorkerDied(W1, "it cannot even start")) == []
    assert coordinator.handle(RestartDue(None)) == [StartWorkers((W1,)), Send(W0, Renew())]


def test_a_worker_that_dies_while_the_tasks_stop_is_not_waited_for() -> None:
    coordinator = job([*RUNNING, FAILURE, TasksStopped(W0)])
    assert coordinator.handle(WorkerDied(W1, "killed")) == [StartWorkers((W1,)), StartAgain(50)]


def test_a_worker_that_does_not_stop_is_given_up_and_counts_as_dead() -> None:
    coordinator = job([*RUNNING, FAILURE, TasksStopped(W0)])
    assert coordinator.handle(StopTimedOut()) == [GiveUpWorkers((W1,))]
    assert coordinator.handle(WorkerDied(W1, "killed")) == [StartWorkers((W1,)), StartAgain(50)]


def test_a_failure_before_all_workers_are_there_waits_for_those_that_are_starting() -> None:
    coordinator = job([RUNNING[0]])
    assert coordinator.handle(FAILURE) == [ChangeStatus(JobStatus.RESTARTING), Send(W0, StopTasks())]
    assert coordinator.handle(TasksStopped(W0)) == []
    assert coordinator.handle(RUNNING[1]) == [StartAgain(50)]


def test_a_job_that_failed_too_often_ends() -> None:
    coordinator = job([*RUNNING, FAILURE, TasksStopped(W0), TasksStopped(W1), RestartDue(None), *RUNNING])
    assert coordinator.status is JobStatus.RUNNING
    assert coordinator.handle(FAILURE)[0] == ChangeStatus(JobStatus.FAILING)
    coordinator.handle(TasksStopped(W0))
    assert coordinator.handle(TasksStopped(W1)) == [ChangeStatus(JobStatus.FAILED), Release()]
    assert [failure.attempt for failure in coordinator.failures] == [0, 1]


def test_of_a_job_that_fails_for_ever_its_last_failures_are_kept() -> None:
    coordinator = job(RUNNING, attempts=1_000)
    for _ in range(MOST_FAILURES_TOLD + 5):
        coordinator.handle(FAILURE)
        coordinator.handle(TasksStopped(W0))
        coordinator.handle(TasksStopped(W1))
        coordinator.handle(RestartDue(None))
        for event in RUNNING:
            coordinator.handle(event)
    assert coordinator.status is JobStatus.RUNNING
    assert [failure.attempt for failure in coordinator.failures] == list(range(5, MOST_FAILURES_TOLD + 5))


@pytest.mark.parametrize("moment", range(5))
def test_a_job_can_be_cancelled_at_any_moment_between_two_attempts(moment: int) -> None:
    way: list[Event] = [FAILURE, TasksStopped(W0), TasksStopped(W1), RestartDue(None), RUNNING[0]]
    coordinator = job([*RUNNING, *way[: moment + 1]])
    coordinator.handle(CancelRequested())
    coordinator.handle(TasksStopped(W0))
    coordinator.handle(TasksStopped(W1))
    assert coordinator.status is JobStatus.CANCELED


def test_what_cannot_be_begun_as_it_is_written_is_not_begun_again() -> None:
    coordinator = job(RUNNING[:2])
    coordinator.handle(SubtaskFailed(W0, None, NotSerializable("a lock")))
    assert coordinator.status is JobStatus.FAILING


def test_a_run_whose_place_another_has_taken_does_not_start_again() -> None:
    coordinator = job(RUNNING)
    coordinator.handle(SubtaskFailed(W0, SUBTASKS[0], RunSuperseded("another run")))
    assert coordinator.status is JobStatus.FAILING


def test_a_failure_for_good_ends_the_job_while_it_waits() -> None:
    coordinator = job([*RUNNING, FAILURE, TasksStopped(W0), TasksStopped(W1)])
    coordinator.handle(JobBroken(StateError("unreadable"), for_good=True))
    assert coordinator.status is JobStatus.FAILED


EVENTS = st.sampled_from(
    [
        *RUNNING,
        FAILURE,
        TasksStopped(W0),
        TasksStopped(W1),
        WorkerDied(W0, "killed"),
        WorkerDied(W1, "killed"),
        RestartDue(None),
        StopTimedOut(),
        CancelRequested(),
        *map(SubtaskFinished, SUBTASKS),
    ]
)


@given(st.lists(EVENTS, max_size=60))
def test_whatever_happens_nothing_is_sent_to_a_dead_worker_and_the_job_ends_once(events: list[Event]) -> None:
    coordinator = job([], attempts=3)
    dead: set[WorkerIndex] = set()
    endings: list[Command] = []
    for event in events:
        if isinstance(event, WorkerDied):
            dead.add(event.worker)
        for command in coordinator.handle(event):
            match command:
                case StartWorkers(workers):
                    assert dead >= set(workers)
                    dead -= set(workers)
                case Send(worker):
                    assert worker not in dead or isinstance(command.message, Deploy | OpenTasks | StartTasks)
                case Release():
                    endings.append(command)
    assert len(endings) <= 1


def test_strategies_come_from_options_and_have_the_defaults_of_flink() -> None:
    assert restart_strategy({}, takes_checkpoints=False) == NoRestart()
    default = restart_strategy({}, takes_checkpoints=True)
    assert default == ExponentialDelay(1_000, 60_000, 1.5, 3_600_000, 0.1, 2_147_483_647)
    assert restart_strategy({"restart-strategy": "off"}, takes_checkpoints=True) == NoRestart()
    fixed = restart_strategy({"restart-strategy.type": "fixed-delay"}, takes_checkpoints=False)
    assert fixed == FixedDelay(1, 1_000)


def test_a_backoff_that_would_shrink_is_refused() -> None:
    options = {
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.backoff-multiplier": "0.5",
    }
    with pytest.raises(OptionError, match="at least 1"):
        restart_strategy(options, takes_checkpoints=True)


def test_jitter_stays_within_its_share_and_is_the_same_in_each_run() -> None:
    def delays() -> list[int | None]:
        strategy = ExponentialDelay(1_000, 1_000, 1.0, 10**9, 0.1, 100, "job")
        return [strategy.delay_ms(0) for _ in range(20)]

    assert delays() == delays()
    assert all(delay is not None and 900 <= delay <= 1_000 for delay in delays())
