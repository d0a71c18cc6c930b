"""What a job starts from, where its options name a checkpoint or savepoint."""

from typing import TYPE_CHECKING

from penstock.checkpoint.settings import ClaimMode, checkpoint_settings
from penstock.dataflow.job import JobGraph

if TYPE_CHECKING:
    from penstock.checkpoint.events import CompletedCheckpoint


def find_start(graph: JobGraph) -> "CompletedCheckpoint | None":
    """The checkpoint or savepoint to start from; None to start from nothing.

    :raises StateError: when there is none at the path, or the program cannot go on from it.
    """
    settings = checkpoint_settings(graph.settings, graph.batch_mode)
    if settings.restore_path is None:
        return None
    from penstock.checkpoint.events import CompletedCheckpoint
    from penstock.checkpoint.manifest import read_manifest
    from penstock.checkpoint.restore_check import check_restore

    manifest, place = read_manifest(settings.restore_path)
    check_restore(manifest, graph, settings.restore_path, settings.allow_non_restored_state)
    return CompletedCheckpoint(manifest, place.directory, owned=settings.claim_mode is ClaimMode.CLAIM)
