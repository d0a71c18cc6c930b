"""What a job starts from, where its options name a checkpoint or savepoint."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.checkpoint.settings import ClaimMode, checkpoint_settings
from penstock.dataflow.job import JobGraph

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
