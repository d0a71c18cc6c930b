"""What the log says of a job that starts again: what a person will ask first, which is why, when, and from where."""

import logging
from typing import TYPE_CHECKING

from penstock.runtime.job.coordinator import Failure, JobCoordinator

if TYPE_CHECKING:
    from penstock.checkpoint.events import CompletedCheckpoint

_log = logging.getLogger(__name__)


class RestartStory:
    """Of one job. Each failure is told once."""

    def __init__(self, coordinator: JobCoordinator) -> None:
        self._coordinator = coordinator
        self._told: Failure | None = None

    def restarts(self) -> None:
        """The job, or a part of it, is about to start again."""
        coordinator, failure = self._coordinator, self._coordinator.failures[-1]
        if failure is self._told:
            return  # it takes longer, as a worker has died meanwhile
        self._told = failure
        deployment = coordinator.deployment
        _log.warning(
            "job %r (%s), attempt %d, failed and %sstarts again in %d ms: %s",
            deployment.graph.job_name,
            deployment.job_id,
            failure.attempt,
            self._part(),
            coordinator.restart_delay_ms,
            failure.error,
        )

    def runs(self, latest: "CompletedCheckpoint | None") -> None:
        """It runs again, from the latest checkpoint."""
        deployment = self._coordinator.deployment
        _log.warning(
            "job %r (%s) runs again, attempt %d, %s",
            deployment.graph.job_name,
            deployment.job_id,
            deployment.attempt,
            "from the beginning" if latest is None else f"from checkpoint {latest.checkpoint_id}",
        )

    def _part(self) -> str:
        """How much starts again, where it is not all."""
        coordinator = self._coordinator
        if not coordinator.is_partial:
            return ""
        every = sum(vertex.parallelism for vertex in coordinator.deployment.graph.vertices)
        return f"a part of it ({len(coordinator.affected)} of {every} subtasks) "
