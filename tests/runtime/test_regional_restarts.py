"""Where the graph has regions, the coordinator starts those again that failed, and leaves the others alone."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checkpoint.place import CheckpointPlace
from penstock.contracts.accumulators import IntCounter
from penstock.contracts.partitioning import Forward
from penstock.dataflow.submission import JobStatus
from penstock.errors import RestoreFailed, UserCodeError, WorkerLost
from penstock.ids import SubtaskId, VertexId, WorkerIndex
from penstock.runtime.job.coordinator import (
    CancelRequested,
    ChangeStatus,
    Event,
    GiveUpWorkers,
    JobBroken,
    JobCoordinator,
    RestartDue,
    Send,
    StartAgain,
    StartWorkers,
    StopsWithSavepoint,
    StopTimedOut,
)
from penstock.runtime.job.restart_strategies import FixedDelay
from penstock.runtime.messages import (
    Deploy,
    Deployment,
    OpenTasks,
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

W0, W1, W2 = (WorkerIndex(index) for index in range(3))
ADDRESS = {W0: ("here", 1), W1: ("there", 2), W2: ("yonder", 3)}
RUNNING: list[Event] = [
    *(WorkerRegistered(worker, ADDRESS[worker]) for worker in (W0, W1, W2)),
    *map(TasksDeployed, (W0, W1, W2)),
    *map(TasksOpened, (W0, W1, W2)),
]
REGION = {w: frozenset(SubtaskId(VertexId(v), int(w)) for v in (0, 1)) for w in (W0, W1, W2)}
ERROR = UserCodeError("it broke")
FAILED = {w: SubtaskFailed(w, SubtaskId(VertexId(1), int(w)), ERROR) for w in (W0, W1, W2)}
RESTORE = Restore(4, CheckpointPlace("/c/chk-4"), {})
NEW_ADDRESS = ("elsewhere", 9)


def three_columns() -> Deployment:
    """A source and a map at parallelism 3 with a forward edge between: a region on each worker."""
    graph = line_of(3, 3)
    return deployment_of(replace(graph, edges=(replace(graph.edges[0], partitioning=Forward()),)))


def job(events: Iterable[Event] = (), attempts: int = 5, by_region: bool = True) -> JobCoordinator:
    coordinator = JobCoordinator(three_columns(), FixedDelay(attempts, 50), by_region)
    coordinator.begin()
    for event in (*RUNNING, *events):
        coordinator.handle(event)
    return coordinator


def stops(worker: WorkerIndex, *lost: WorkerIndex) -> Send:
    return Send(worker, StopTasks(REGION[worker], frozenset(lost)))


def test_only_the_region_that_failed_is_stopped_and_started_again() -> None:
    coordinator = job()
    assert coordinator.handle(FAILED[W1]) == [ChangeStatus(JobStatus.RESTARTING), stops(W1)]
    assert coordinator.handle(TasksStopped(W1, subtasks=REGION[W1])) == [StartAgain(50)]
    assert coordinator.handle(RestartDue(RESTORE)) == [
        Send(W1, Deploy(coordinator.deployment, ADDRESS, REGION[W1]))
    ]
    assert (coordinator.deployment.attempt, coordinator.deployment.restore) == (1, RESTORE)
    assert coordinator.handle(TasksDeployed(W1)) == [Send(W1, OpenTasks())]
    assert coordinator.handle(TasksOpened(W1)) == [ChangeStatus(JobStatus.RUNNING), Send(W1, StartTasks())]
    assert coordinator.affected == frozenset()


@pytest.mark.parametrize("dies_last", [True, False])
def test_a_worker_with_nothing_left_to_do_is_not_waited_for_where_it_dies_while_everything_stops(
    dies_last: bool,
) -> None:
    finished = [SubtaskFinished(subtask, {}) for subtask in sorted(REGION[W2])]
    coordinator = job([*finished, FAILED[W0]], by_region=False)
    death = WorkerDied(W2, "killed")
    stopped: list[Event] = [TasksStopped(W0), TasksStopped(W1)]
    *before, last = [*stopped, death] if dies_last else [death, *stopped]
    started = [command for event in before for command in coordinator.handle(event)]
    started += coordinator.handle(last)
    assert started == [StartWorkers((W2,)), StartAgain(50)]


def test_what_goes_on_running_is_heard_meanwhile() -> None:
    coordinator = job([FAILED[W1]])
    assert coordinator.runs(SubtaskId(VertexId(0), 0))
    assert not coordinator.runs(SubtaskId(VertexId(0), 1))
    for worker in (W0, W1, W2):
        for subtask in sorted(REGION[worker]):
            coordinator.handle(SubtaskFinished(subtask, {"seen": IntCounter(1)}))
    assert coordinator.accumulators["seen"].get_local_value() == 4  # what had failed says nothing any more
    for event in (TasksStopped(W1), RestartDue(None), TasksDeployed(W1), TasksOpened(W1)):
        coordinator.handle(event)
    assert coordinator.status is JobStatus.RUNNING
    for subtask in sorted(REGION[W1]):
        coordinator.handle(SubtaskFinished(subtask, {"seen": IntCounter(1)}))
    assert coordinator.status is JobStatus.FINISHED
    assert coordinator.accumulators["seen"].get_local_value() == 6


def test_what_a_region_had_counted_before_it_failed_is_not_counted_twice() -> None:
    first, second = sorted(REGION[W1])
    coordinator = job([SubtaskFinished(first, {"seen": IntCounter(3)}), FAILED[W1], TasksStopped(W1)])
    coordinator.handle(RestartDue(None))
    assert coordinator.accumulators == {}
    coordinator.handle(TasksDeployed(W1))
    coordinator.handle(TasksOpened(W1))
    coordinator.handle(SubtaskFinished(first, {"seen": IntCounter(3)}))
    coordinator.handle(SubtaskFinished(second))
    assert coordinator.accumulators["seen"].get_local_value() == 3


def test_a_worker_that_dies_takes_its_regions_with_it_and_another_comes_in_its_place() -> None:
    coordinator = job()
    assert coordinator.handle(WorkerDied(W1, "killed")) == [
        ChangeStatus(JobStatus.RESTARTING),
        StartAgain(50),
        StartWorkers((W1,)),
    ]
    assert coordinator.handle(WorkerRegistered(W1, NEW_ADDRESS)) == []
    peers = {**ADDRESS, W1: NEW_ADDRESS}
    deploys = coordinator.handle(RestartDue(RESTORE))
    assert deploys == [Send(W1, Deploy(coordinator.deployment, peers, REGION[W1]))]


def test_a_replacement_that_is_late_is_waited_for_by_its_region_alone() -> None:
    coordinator = job([WorkerDied(W1, "killed")])
    assert coordinator.handle(RestartDue(RESTORE)) == []
    assert [type(each) for each in coordinator.handle(WorkerRegistered(W1, NEW_ADDRESS))] == [Send]


def test_the_death_of_a_worker_that_has_finished_changes_nothing() -> None:
    coordinator = job(map(SubtaskFinished, REGION[W1]))
    assert coordinator.handle(WorkerDied(W1, "killed")) == []
    assert coordinator.status is JobStatus.RUNNING
    # Only when everything starts again is it needed.
    coordinator.handle(JobBroken(ERROR))
    assert coordinator.handle(TasksStopped(W0)) == []
    assert coordinator.handle(TasksStopped(W2)) == [StartAgain(50)]
    assert coordinator.handle(RestartDue(None)) == [
        StartWorkers((W1,)),
        Send(W0, Renew()),
        Send(W2, Renew()),
    ]


def test_another_region_that_fails_meanwhile_starts_again_with_the_first() -> None:
    coordinator = job([FAILED[W1]])
    both = REGION[W1] | REGION[W2]
    assert coordinator.handle(FAILED[W2]) == [
        ChangeStatus(JobStatus.RESTARTING),
        Send(W1, StopTasks(both)),
        Send(W2, StopTasks(both)),
    ]
    assert [coordinator.handle(TasksStopped(W1)), coordinator.handle(TasksStopped(W2))] == [[], []]
    assert coordinator.handle(TasksStopped(W1)) == [StartAgain(50)]  # it was told twice
    deploys = coordinator.handle(RestartDue(None))
    assert [command.worker for command in deploys if isinstance(command, Send)] == [W1, W2]
    assert len(coordinator.failures) == 2


def test_what_fails_again_while_it_is_deployed_is_stopped_again() -> None:
    coordinator = job([FAILED[W1], TasksStopped(W1), RestartDue(None)])
    assert coordinator.handle(FAILED[W1]) == [ChangeStatus(JobStatus.RESTARTING), stops(W1)]
    assert coordinator.handle(TasksDeployed(W1)) == []
    assert coordinator.handle(TasksStopped(W1)) == [StartAgain(50)]


def test_a_failure_of_what_is_being_stopped_is_not_counted() -> None:
    coordinator = job([FAILED[W1]])
    assert coordinator.handle(FAILED[W1]) == []
    assert len(coordinator.failures) == 1


def test_a_worker_that_dies_while_its_region_waits_is_told_to_the_others_of_the_region() -> None:
    coordinator = job([FAILED[W1], FAILED[W2], *[TasksStopped(w) for w in (W1, W2, W1)]])
    assert coordinator.is_between_attempts
    both = REGION[W1] | REGION[W2]
    assert coordinator.handle(WorkerDied(W1, "killed")) == [
        StartWorkers((W1,)),
        ChangeStatus(JobStatus.RESTARTING),
        Send(W2, StopTasks(both, frozenset({W1}))),
    ]
    assert coordinator.handle(TasksStopped(W2)) == [StartAgain(50)]
    assert len(coordinator.failures) == 2


@pytest.mark.parametrize(
    "event",
    [
        JobBroken(ERROR),
        SubtaskFailed(W1, None, ERROR),
        SubtaskFailed(W1, SubtaskId(VertexId(0), 1), RestoreFailed("altered", 4)),
        SubtaskFailed(W1, SubtaskId(VertexId(0), 1), WorkerLost("the connection broke, and nobody died")),
    ],
)
@pytest.mark.parametrize("before", [(), (FAILED[W2],), (FAILED[W2], TasksStopped(W2))])
def test_a_failure_of_everybody_starts_everything_again(event: Event, before: tuple[Event, ...]) -> None:
    coordinator = job(before)
    assert coordinator.handle(event) == [
        ChangeStatus(JobStatus.RESTARTING),
        *(Send(worker, StopTasks()) for worker in (W0, W1, W2)),
    ]
    assert not coordinator.is_partial


def test_while_the_job_stops_with_a_savepoint_every_failure_is_one_of_everybody() -> None:
    coordinator = job([StopsWithSavepoint(True)])
    assert Send(W0, StopTasks()) in coordinator.handle(FAILED[W1])
    coordinator = job([StopsWithSavepoint(True), StopsWithSavepoint(False)])
    assert coordinator.handle(FAILED[W1]) == [ChangeStatus(JobStatus.RESTARTING), stops(W1)]


def test_with_the_strategy_full_everything_starts_again() -> None:
    coordinator = job(by_region=False)
    assert coordinator.handle(FAILED[W1])[1:] == [Send(worker, StopTasks()) for worker in (W0, W1, W2)]


def test_a_region_that_failed_too_often_ends_the_job() -> None:
    coordinator = job(
        [FAILED[W1], TasksStopped(W1), RestartDue(None), TasksDeployed(W1), TasksOpened(W1)], attempts=1
    )
    assert coordinator.handle(FAILED[W2]) == [
        ChangeStatus(JobStatus.FAILING),
        *(Send(worker, StopTasks()) for worker in (W0, W1, W2)),
    ]
    for worker in (W0, W1, W2):
        coordinator.handle(TasksStopped(worker))
    assert coordinator.status is JobStatus.FAILED


def test_a_worker_that_does_not_stop_its_region_is_given_up() -> None:
    coordinator = job([FAILED[W1]])
    assert coordinator.handle(StopTimedOut()) == [GiveUpWorkers((W1,))]
    assert coordinator.handle(WorkerDied(W1, "killed"))[-1] == StartAgain(50)


MOVES = st.sampled_from(
    [
        *RUNNING,
        *FAILED.values(),
        *(TasksStopped(w) for w in (W0, W1, W2)),
        *(WorkerDied(w, "killed") for w in (W0, W1, W2)),
        *(SubtaskFinished(s) for w in (W0, W1, W2) for s in sorted(REGION[w])),
        RestartDue(None),
        StopTimedOut(),
        JobBroken(ERROR),
        StopsWithSavepoint(True),
    ]
)


@given(st.lists(MOVES, max_size=40))
def test_from_wherever_it_is_a_job_of_regions_can_be_brought_to_its_end(moves: list[Event]) -> None:
    coordinator = job(moves, attempts=100)
    coordinator.handle(CancelRequested())
    coordinator.handle(StopTimedOut())
    assert coordinator.status.is_globally_terminal_state()


@given(st.lists(MOVES, max_size=40))
def test_whatever_happens_a_job_of_regions_runs_again_when_everybody_answers(moves: list[Event]) -> None:
    """Workers that answer what they are told bring any job that is not over back to running, or to its end."""
    coordinator = JobCoordinator(three_columns(), FixedDelay(100, 0))
    waiting = list(coordinator.begin())
    dead: set[WorkerIndex] = set()
    for move in (*RUNNING, *moves):
        match move:
            case TasksStopped() | TasksDeployed() | TasksOpened() | WorkerRegistered():
                continue  # these the workers below say themselves
            case WorkerDied(worker, _) if worker in dead:
                continue
            case WorkerDied(worker, _):
                dead.add(worker)
                waiting = [each for each in waiting if not (isinstance(each, Send) and each.worker == worker)]
            case SubtaskFailed(worker) if worker in dead:
                continue
            case RestartDue() | StopTimedOut():
                continue
        waiting += coordinator.handle(move)
        if len(waiting) > 1:
            waiting += answer(coordinator, waiting.pop(0), dead)
    while waiting:
        waiting += answer(coordinator, waiting.pop(0), dead)
    assert coordinator.status in (JobStatus.RUNNING, JobStatus.FINISHED)


def answer(coordinator: JobCoordinator, command: object, dead: set[WorkerIndex]) -> list[object]:
    """What follows on a command when all goes well."""
    match command:
        case StartWorkers(workers):
            dead.difference_update(workers)
            return [c for w in workers for c in coordinator.handle(WorkerRegistered(w, ADDRESS[w]))]
        case Send(worker, _) if worker in dead:
            return []
        case Send(worker, Renew()):
            return list(coordinator.handle(WorkerRegistered(worker, ADDRESS[worker])))
        case Send(worker, Deploy()):
            return list(coordinator.handle(TasksDeployed(worker)))
        case Send(worker, OpenTasks()):
            return list(coordinator.handle(TasksOpened(worker)))
        case Send(worker, StopTasks(subtasks)):
            return list(coordinator.handle(TasksStopped(worker, subtasks=subtasks)))
        case StartAgain():
            return list(coordinator.handle(RestartDue(None)))
    return []
