"""Reactive scheduling: the parallelism of jobs follows the slots that there are.

Source: Flink's documentation, "Elastic Scaling", of which this is the reactive mode; several jobs share the slots evenly.
"""

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from penstock.checkpoint.settings import checkpoint_settings
from penstock.clock import monotonic
from penstock.config.configuration import Configuration
from penstock.dataflow.job import JobGraph
from penstock.dataflow.rescaling import may_rescale, open_parallelism
from penstock.dataflow.slots_wanted import parallelism_within
from penstock.deploy.cluster.dispatched_job import DispatchedJob
from penstock.deploy.cluster.dispatcher import Dispatcher
from penstock.deploy.cluster.rescale_history import Cause
from penstock.deploy.cluster.roster import Roster
from penstock.errors import OptionError, PenstockError

LOOK_S = 0.5
AFTER_FAILURE_S = 30.0
_ADAPTIVE = "jobmanager.adaptive-scheduler."
COOLDOWN = _ADAPTIVE + "executing.cooldown-after-rescaling"
STABILIZATION = _ADAPTIVE + "executing.resource-stabilization-timeout"
MAX_DELAY = _ADAPTIVE + "rescale-trigger.max-delay"
MAX_FAILURES = _ADAPTIVE + "rescale-trigger.max-checkpoint-failures"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReactiveSettings:
    """``cooldown_s``: so long after a change a job gets no more slots; ``stabilization_s``: so long more slots have to have
    been there. Fewer slots are obeyed at once, as nothing runs without them.

    ``max_delay_s``: so long a job without a checkpoint is given to complete one before it begins again; None: as long as
    ``max_checkpoint_failures`` and one more checkpoint take.
    """

    cooldown_s: float = 30.0
    stabilization_s: float = 0.0
    max_delay_s: float | None = None
    max_checkpoint_failures: int = 2

    def patience_s(self, graph: JobGraph) -> float:
        """How long a job without a checkpoint is waited for; for ever in BATCH mode, where too much would be done again.

        >>> ReactiveSettings().patience_s(JobGraph("none", (), (), False))
        0.0
        >>> often = {"execution.checkpointing.interval": "10 s"}
        >>> ReactiveSettings().patience_s(JobGraph("often", (), (), False, often))
        30.0
        """
        if graph.batch_mode:
            return float("inf")
        if self.max_delay_s is not None:
            return self.max_delay_s
        interval_ms = checkpoint_settings(graph.settings).interval_ms or 0
        return interval_ms / 1000 * (self.max_checkpoint_failures + 1)


def reactive_settings(options: Mapping[str, str]) -> ReactiveSettings | None:
    """What a cluster's options say; None where parallelism does not follow slots.

    :raises OptionError: for a mode that Flink does not have.
    """
    mode = options.get("scheduler-mode", "").lower()
    if not mode:
        return None
    if mode != "reactive":
        raise OptionError(f"scheduler-mode is reactive, or not set; not {mode!r}")
    known = Configuration.from_dict({key: text for key, text in options.items() if key.startswith(_ADAPTIVE)})
    max_delay_ms = known.get_millis(MAX_DELAY)
    return ReactiveSettings(
        (known.get_millis(COOLDOWN, 30_000) or 0) / 1000,
        (known.get_millis(STABILIZATION, 0) or 0) / 1000,
        None if max_delay_ms is None else max_delay_ms / 1000,
        known.get_integer(MAX_FAILURES, 2),
    )


def wanted_parallelism(graph: JobGraph, slots: int, jobs: int) -> int:
    """The parallelism for one of so many jobs on so many slots; at least 1, where it then waits.

    >>> wanted_parallelism(JobGraph("none", (), (), False), 4, 1)
    0
    """
    if not graph.vertices or not may_rescale(graph):
        return 0
    return max(1, parallelism_within(graph, slots // max(1, jobs)))


class ReactiveScaling:
    """Looks at slots and jobs until :meth:`close`, with a thread of its own."""

    def __init__(self, dispatcher: Dispatcher, roster: Roster, settings: ReactiveSettings) -> None:
        self._dispatcher = dispatcher
        self._roster = roster
        self._settings = settings
        self._changed_at: dict[str, float] = {}
        self._failed_at: dict[str, float] = {}
        self._refused: dict[str, str] = {}
        self._slots = 0
        self._slots_since = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reactive scaling")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def look(self) -> None:
        """Rescale the jobs whose share of the slots is another now."""
        now = monotonic()
        slots, _ = self._roster.slots()
        if slots != self._slots:
            self._slots, self._slots_since = slots, now
        jobs = [job for job in self._dispatcher.jobs() if not job.has_ended]
        known = {job.id for job in jobs}
        for gone in {*self._changed_at, *self._failed_at, *self._refused} - known:
            self._changed_at.pop(gone, None)
            self._failed_at.pop(gone, None)
            self._refused.pop(gone, None)
        for job in jobs:
            if not job.may_rescale:
                continue
            wanted = wanted_parallelism(job.graph, slots, len(jobs)) if slots else 0
            bounds = job.submission.bounds
            if wanted and bounds is not None:
                wanted = bounds.nearest(wanted)
            if wanted and wanted != open_parallelism(job.graph) and self._may_change(job, wanted, now):
                self._rescale(job, wanted, now)

    def _may_change(self, job: DispatchedJob, wanted: int, now: float) -> bool:
        if now - self._failed_at.get(job.id, float("-inf")) < AFTER_FAILURE_S:
            return False
        if wanted < (open_parallelism(job.graph) or 0):
            return True
        cooled = now - self._changed_at.get(job.id, float("-inf")) >= self._settings.cooldown_s
        return cooled and now - self._slots_since >= self._settings.stabilization_s

    def _rescale(self, job: DispatchedJob, wanted: int, now: float) -> None:
        patience_s = self._settings.patience_s(job.graph)
        try:
            may_begin_again = now - self._slots_since >= patience_s
            done = self._dispatcher.rescale(job.id, wanted, Cause.NEW_RESOURCE_AVAILABLE, may_begin_again)
        except PenstockError as error:
            why = f"cannot go to parallelism {wanted}: {error}"
            if self._refused.get(job.id) != why:  # it is asked again with the next look
                self._refused[job.id] = why
                _log.warning("job %r (%s) %s", job.name, job.id, why)
            return
        self._changed_at[job.id] = now
        self._refused.pop(job.id, None)
        _log.info(
            "job %r (%s) goes to parallelism %d, as there are %d slots", job.name, job.id, wanted, self._slots
        )

        def ended(outcome: "Future[None]") -> None:
            error = outcome.exception()
            if error is not None:
                self._failed_at[job.id] = monotonic()
                _log.warning("%s", error)

        done.add_done_callback(ended)

    def _run(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.look()
