"""What a job starts from: what its options name, or what a driver before has left, in another JobManager or at another
parallelism."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from penstock.checkpoint.settings import CheckpointSettings, ClaimMode, checkpoint_settings
from penstock.dataflow.job import JobGraph
from penstock.runtime.messages import Deployment

if TYPE_CHECKING:
    from penstock.checkpoint.events import CompletedCheckpoint


@dataclass(frozen=True, slots=True)
class Start:
    """What is to run, and what it goes on from; ``checkpoint`` None where it starts from nothing."""

    graph: JobGraph
    checkpoint: "CompletedCheckpoint | None" = None


def find_start(graph: JobGraph) -> Start:
    """The job with the checkpoint or savepoint that its options name, and with the maximum parallelism that was saved there
    wherever the program sets none.

    :raises StateError: when there is none at the path, or the program cannot go on from it.
    """
    settings = checkpoint_settings(graph.settings, graph.batch_mode)
    if settings.restore_path is None:
        return Start(graph)
    from penstock.checkpoint.events import CompletedCheckpoint
    from penstock.checkpoint.manifest import read_manifest
    from penstock.checkpoint.restore_check import check_restore

    manifest, place = read_manifest(settings.restore_path)
    owned = settings.claim_mode is ClaimMode.CLAIM
    start = start_from(CompletedCheckpoint(manifest, place.directory, owned=owned), graph)
    check_restore(manifest, start.graph, settings.restore_path, settings.allow_non_restored_state)
    return start


def start_from(checkpoint: "CompletedCheckpoint", graph: JobGraph) -> Start:
    """The job as it goes on from a checkpoint."""
    from penstock.checkpoint.restored_maxima import with_saved_maxima

    return Start(with_saved_maxima(graph, checkpoint.manifest), checkpoint)


@dataclass(frozen=True, slots=True)
class KeptCheckpoints:
    """The completed checkpoints of a job that are kept, the oldest first, and the highest number that was ever used, by a
    complete one or not."""

    completed: "tuple[CompletedCheckpoint, ...]" = ()
    numbers_used: int = 0

    @property
    def latest(self) -> "CompletedCheckpoint | None":
        """What the job goes on from."""
        return self.completed[-1] if self.completed else None


def note_nothing(latest: "CompletedCheckpoint | None") -> None:
    """Nobody takes the job over."""


@dataclass(frozen=True, slots=True)
class Succession:
    """What a driver has from the one before it, and what it leaves to the one after it.

    It goes on from the latest of the checkpoints that are ``kept``. ``note`` is given the latest one before anybody is told
    that it is complete, and whenever another becomes the latest; it may block, is called by no driver's thread, and raises
    what makes the checkpoint fail. ``is_trial``: should the job fail before it works in all its workers, all checkpoints stay
    as they are.
    """

    kept: KeptCheckpoints = KeptCheckpoints()
    note: "Callable[[CompletedCheckpoint | None], None]" = note_nothing
    is_trial: bool = False


def from_start(checkpoint: "CompletedCheckpoint | None") -> Succession:
    """Of a job that has just been submitted, and that goes on from what its options name."""
    return Succession() if checkpoint is None else Succession(KeptCheckpoints((checkpoint,)))


def as_settings_say(deployment: Deployment, settings: CheckpointSettings) -> Deployment:
    """What workers are told of checkpoints."""
    return replace(
        deployment,
        exactly_once=None if deployment.graph.batch_mode else settings.exactly_once,
        takes_checkpoints=settings.enabled and settings.after_tasks_finish,
        unaligned_after_ms=settings.unaligned_after_ms,
    )
