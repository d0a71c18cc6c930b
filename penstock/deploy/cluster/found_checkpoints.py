"""The checkpoints that storage holds of a job that a JobManager takes up.

That storage does not answer is no reason to go back further: sinks may have committed what it holds. So only what is not
there is passed over; whatever else goes wrong is raised, and whoever takes the job up tries again.
"""

import logging
from dataclasses import replace

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import CheckpointOutOfReach, NoCheckpoint, read_manifest
from penstock.checkpoint.settings import checkpoint_settings
from penstock.dataflow.job import JobGraph
from penstock.deploy.cluster.job_store import LatestCheckpoint
from penstock.errors import StateError
from penstock.runtime.job.start import KeptCheckpoints, Start, find_start, start_from
from penstock.storage.reading import names_in

_log = logging.getLogger(__name__)


def find_checkpoints(graph: JobGraph, job_id: str, latest: LatestCheckpoint | None = None) -> KeptCheckpoints:
    """What storage holds of a job; ``latest`` is what its JobManager has noted.

    :raises OutsideError: where storage does not answer.
    :raises StateError: where it does not give a manifest, or where the one is gone or altered that was noted: the job cannot
        go on from an older one.
    """
    base = _directory_of(graph, job_id)
    numbers = [] if base is None else _numbers_in(base)
    noted = 0 if latest is None else latest.checkpoint_id
    found: dict[int, CompletedCheckpoint] = {}
    for number in numbers:
        made = _find(f"{base}/chk-{number}", job_id)
        if made is not None:
            found[number] = made
    if latest is not None and (noted not in found or found[noted].directory != latest.directory):
        found[noted] = _get(latest, job_id)
    return KeptCheckpoints(tuple(found[number] for number in sorted(found)), max([noted, *numbers]))


def noted(job_id: str, latest: CompletedCheckpoint | None) -> LatestCheckpoint | None:
    """What is to be noted of a job's latest checkpoint: nothing where that is another job's, which it was started from."""
    if latest is None or latest.directory is None or latest.manifest.job_id != job_id:
        return None
    return LatestCheckpoint(latest.checkpoint_id, latest.directory)


def find_start_again(
    graph: JobGraph, job_id: str, latest: LatestCheckpoint | None
) -> tuple[Start, KeptCheckpoints]:
    """What a job that is taken up goes on from: its own checkpoints, or else what it was first started from.

    :raises OutsideError: and ``StateError``, as :func:`find_checkpoints`.
    """
    kept = find_checkpoints(graph, job_id, latest)
    if kept.latest is not None:
        return start_from(kept.latest, graph), kept
    start = find_start(graph)
    return start, replace(kept, completed=() if start.checkpoint is None else (start.checkpoint,))


def _find(directory: str, job_id: str) -> CompletedCheckpoint | None:
    try:
        manifest, place = read_manifest(directory)
    except NoCheckpoint:
        return None
    except CheckpointOutOfReach:
        raise
    except StateError as error:  # it was being written when its JobManager died, so nobody was told of it
        _log.warning("job %s is not taken up from %s: %s", job_id, directory, error)
        return None
    return CompletedCheckpoint(manifest, place.directory) if manifest.job_id == job_id else None


def _get(latest: LatestCheckpoint, job_id: str) -> CompletedCheckpoint:
    try:
        manifest, place = read_manifest(latest.directory)
        if manifest.job_id != job_id:
            raise StateError(f"what is at {latest.directory} is of job {manifest.job_id}")
    except CheckpointOutOfReach:
        raise
    except StateError as error:
        raise StateError(
            f"the job cannot go on: its sinks may have committed checkpoint {latest.checkpoint_id}, and that is lost: "
            f"{error.message}; put it back, or cancel the job and start it from another checkpoint with `penstock run -s`"
        ) from error
    return CompletedCheckpoint(manifest, place.directory, owned=not manifest.is_savepoint)


def _directory_of(graph: JobGraph, job_id: str) -> str | None:
    settings = checkpoint_settings(graph.settings, graph.batch_mode)
    if settings.directory is None or not settings.create_subdirectory:
        return settings.directory
    return f"{settings.directory}/{job_id}"


def _numbers_in(directory: str) -> list[int]:
    texts = [name.removeprefix("chk-") for name in names_in(directory) if name.startswith("chk-")]
    return sorted(int(text) for text in texts if text.isdigit())
