"""How a job came to its parallelism: what is under way is one change at most, and comes to an end."""

import pytest

from penstock.dataflow.job import JobGraph
from penstock.dataflow.submission import JobStatus
from penstock.deploy.cluster.rescale_history import Cause, Reason, RescaleHistory

GRAPH = JobGraph("none", (), (), False)


@pytest.fixture
def history() -> RescaleHistory:
    made = RescaleHistory()
    made.begin(Cause.INITIAL_SCHEDULE, None, GRAPH)
    return made


def told(history: RescaleHistory) -> list[tuple[Cause, Reason | None]]:
    return [(each.cause, each.reason) for each in reversed(history.kept())]


def test_a_wish_for_what_there_is_does_not_hide_that_the_job_starts_again(history: RescaleHistory) -> None:
    history.note(JobStatus.RUNNING, GRAPH)
    history.note(JobStatus.RESTARTING, GRAPH)
    history.ignore(Cause.UPDATE_REQUIREMENT, GRAPH)
    history.note(JobStatus.RUNNING, GRAPH)
    assert told(history) == [
        (Cause.INITIAL_SCHEDULE, Reason.SUCCEEDED),
        (Cause.RECOVERABLE_FAILOVER, Reason.SUCCEEDED),
        (Cause.UPDATE_REQUIREMENT, Reason.NO_RESOURCES_OR_PARALLELISMS_CHANGE),
    ]
    assert history.in_progress == 0
    history.note(JobStatus.RESTARTING, GRAPH)
    assert history.in_progress == 1, "the next one is told of"


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (Cause.UPDATE_REQUIREMENT, Reason.RESOURCE_REQUIREMENTS_UPDATED),
        (Cause.NEW_RESOURCE_AVAILABLE, Reason.NO_RESOURCES_OR_PARALLELISMS_CHANGE),
    ],
)
def test_a_job_that_is_rescaled_before_it_runs_has_one_change_under_way(
    history: RescaleHistory, cause: Cause, reason: Reason
) -> None:
    change = history.begin(cause, GRAPH, GRAPH)
    assert told(history) == [(Cause.INITIAL_SCHEDULE, reason), (cause, None)]
    history.end_with(change, JobStatus.RUNNING, None)
    assert history.in_progress == 0
    assert dict(history.counts) == {"IGNORED": 1, "COMPLETED": 1}
