"""In which state each subtask is, as far as the job and its ended subtasks tell."""

from collections import Counter

from penstock.clock import SYSTEM_CLOCK
from penstock.dataflow.job import JobVertex
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.ids import SubtaskId

TASK_STATES = (
    "CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "FINISHED", "CANCELING", "CANCELED", "FAILED",
    "RECONCILING",
)  # fmt: skip
_OF_JOB = {
    JobStatus.CREATED: "SCHEDULED",
    JobStatus.RUNNING: "RUNNING",
    JobStatus.FINISHED: "FINISHED",
    JobStatus.FAILING: "CANCELING",
    JobStatus.FAILED: "FAILED",
    JobStatus.CANCELLING: "CANCELING",
    JobStatus.CANCELED: "CANCELED",
    JobStatus.RESTARTING: "DEPLOYING",
}


def subtask_state(job: DispatchedJob, subtask: SubtaskId, finished: dict[SubtaskId, int]) -> str:
    """The state of one subtask; ``finished`` are those that have come to their end."""
    return "FINISHED" if subtask in finished else _OF_JOB.get(job.status, "CREATED")


def states_of(job: DispatchedJob, vertex: JobVertex) -> Counter[str]:
    """How many subtasks of a vertex are in which state."""
    finished = job.job.finished_at_ms()
    return Counter(subtask_state(job, subtask, finished) for subtask in vertex.subtasks())


def state_of(job: DispatchedJob, vertex: JobVertex) -> str:
    """The state of a vertex: that of its subtasks which have not finished, if there are any."""
    states = states_of(job, vertex)
    return next((state for state in states if state != "FINISHED"), "FINISHED")


def counts(states: Counter[str], lower: bool = False) -> dict[str, int]:
    """All states with how many are in each."""
    return {name.lower() if lower else name: states.get(name, 0) for name in TASK_STATES}


def began_ms(job: DispatchedJob) -> int:
    """When the tasks of the last attempt began; -1 where they have not."""
    return job.times.get(JobStatus.RUNNING, -1)


def ended_ms(job: DispatchedJob, subtask: SubtaskId | None = None) -> int:
    """When a job, or a subtask, was over; -1 where it is not."""
    own = None if subtask is None else job.job.finished_at_ms().get(subtask)
    ended = own or job.ended_at_ms
    return -1 if ended is None else ended


def duration_ms(begin_ms: int, end_ms: int) -> int:
    """From the beginning to the end, or until now; -1 for what has not begun."""
    if begin_ms < 0:
        return -1
    return (end_ms if end_ms >= 0 else SYSTEM_CLOCK.now_ms()) - begin_ms
