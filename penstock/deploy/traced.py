"""What took time in jobs, as Flink's spans: checkpoints, and how jobs came to run.

Source: Flink's documentation, "Traces".
"""

from collections.abc import Iterable, Iterator

from penstock.dataflow.recovery import CheckpointState, CheckpointStatistics
from penstock.deploy.told_job import ToldJob
from penstock.metrics.traces import Span, Value

SCOPE = "org.apache.flink.runtime.checkpoint.CheckpointStatsTracker"


def spans(jobs: Iterable[ToldJob], host: str) -> dict[object, Span]:
    """Of all jobs that are kept in mind, by job and what it was."""
    found: dict[object, Span] = {}
    for job in jobs:
        variables: dict[str, Value] = {"host": host, "job_id": job.id, "job_name": job.name}
        for each in job.checkpoints():
            if each.state is not CheckpointState.IN_PROGRESS:
                found[job.id, "Checkpoint", each.checkpoint_id] = _of_checkpoint(each, variables)
        for number, begin_ms, end_ms in _initializations(job):
            attributes: dict[str, Value] = {
                **variables,
                "initializationStatus": "COMPLETED",
                "attempt": number,
            }
            found[job.id, "JobInitialization", number] = Span(
                SCOPE, "JobInitialization", begin_ms, end_ms, attributes
            )
    return found


def _of_checkpoint(each: CheckpointStatistics, variables: dict[str, Value]) -> Span:
    size = each.state_bytes or 0
    attributes: dict[str, Value] = {
        **variables,
        "checkpointId": each.checkpoint_id,
        "fullSize": size,
        "checkpointedSize": size,
        "checkpointStatus": each.state.name,
        "checkpointType": "Savepoint" if each.is_savepoint else "Checkpoint",
    }
    begin = each.trigger_timestamp_ms
    return Span(SCOPE, "Checkpoint", begin, begin + (each.duration_ms or 0), attributes)


def _initializations(job: ToldJob) -> Iterator[tuple[int, int, int]]:
    """Each attempt that came to run: its number, when the one before it had failed or was stopped, and when it ran."""
    begins_ms = {failure.attempt: failure.timestamp_ms for failure in job.recovery().attempts}
    ended_ms: dict[int, int] = {}
    began_ms: dict[int, int] = {}
    for vertex in job.graph.vertices:
        for subtask in vertex.subtasks():
            running, past = job.attempts.running(subtask), job.past_attempts(subtask)
            for each in past:
                ended_ms[each.number] = max(each.ended_ms, ended_ms.get(each.number, 0))
            numbered = [(running.number, running.began_ms), *((each.number, each.began_ms) for each in past)]
            for number, began in numbered:
                if began >= 0:
                    began_ms[number] = min(began, began_ms.get(number, began))
    begins_ms = ended_ms | begins_ms
    for number, began in began_ms.items():
        before = max((each for each in begins_ms if each < number), default=None)
        yield number, min(job.started_at_ms if before is None else begins_ms[before], began), began
