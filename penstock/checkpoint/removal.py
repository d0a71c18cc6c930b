"""Removing the files of checkpoints. Nothing is removed that a completed checkpoint still needs."""

from collections.abc import Callable, Collection, Iterable
from functools import partial

from penstock.checkpoint.events import CompletedCheckpoint
from penstock.checkpoint.manifest import MANIFEST_NAME, CheckpointOutOfReach, read_manifest
from penstock.checkpoint.place import SHARED_PREFIX
from penstock.errors import PenstockError, StateError
from penstock.storage.reading import names_in
from penstock.storage.writing import delete_directory, delete_if_empty, delete_if_there, files_below


def remove_checkpoint(
    directory: str, checkpoint: CompletedCheckpoint, kept: Iterable[CompletedCheckpoint]
) -> None:
    """Remove a completed checkpoint: its manifest first, then its own files, and the shared ones that nobody refers to."""
    needed = {name for other in kept for name in shared_files(other)}
    delete_if_there(f"{directory}/{MANIFEST_NAME}")
    delete_directory(directory)
    job_directory = directory.rpartition("/")[0]
    for name in shared_files(checkpoint) - needed:
        delete_if_there(f"{job_directory}/shared/{name.removeprefix(SHARED_PREFIX)}")


def remove_manifest(directory: str, job_id: str | None = None) -> None:
    """Remove the manifest of a checkpoint that was given up: it may be there although writing it was reported as failed.

    ``job_id`` is given where several jobs may write into one directory: what another one has completed there stays.
    """
    if job_id is None or not _is_of_another(directory, job_id):
        delete_if_there(f"{directory}/{MANIFEST_NAME}")


def remove_leftovers(directory: str, job_id: str | None = None) -> None:
    """Remove what was written of a checkpoint that never was one; ``job_id`` as above.

    First its manifest: whoever looks for the newest checkpoint must not find one with half its files.
    """
    if job_id is not None and _is_of_another(directory, job_id):
        return
    remove_manifest(directory)
    delete_directory(directory)


def _is_of_another(directory: str, job_id: str) -> bool:
    try:
        return read_manifest(directory)[0].job_id != job_id
    except CheckpointOutOfReach:
        raise  # nobody knows whose it is
    except StateError:
        return False  # there is none, or only a part of one


def remove_unneeded(directory: str, kept: Collection[CompletedCheckpoint]) -> None:
    """Remove what belongs to no checkpoint that is kept: shared files that none refers to, as that for which they were made
    was given up, and what a JobManager has written of checkpoints that it did not live to complete.

    ``directory`` is the job's; called when nobody writes there any more. What cannot be removed holds up nothing else.
    """
    directories = {checkpoint.directory for checkpoint in kept}
    needed = {name.removeprefix(SHARED_PREFIX) for checkpoint in kept for name in shared_files(checkpoint)}
    shared = files_below(f"{directory}/shared")
    removals: list[Callable[[], None]] = [
        partial(_remove_unless_complete, f"{directory}/{name}")
        for name in names_in(directory)
        if name.startswith("chk-") and f"{directory}/{name}" not in directories
    ]
    removals += [partial(delete_if_there, path) for path in shared if path.rpartition("/")[2] not in needed]
    failures: list[PenstockError] = []
    for remove in removals:
        try:
            remove()
        except PenstockError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _remove_unless_complete(directory: str) -> None:
    try:
        read_manifest(directory)
    except CheckpointOutOfReach:
        raise
    except StateError:
        remove_leftovers(directory)


def remove_job_directory(directory: str) -> None:
    """Remove the directories of a job that has left nothing in them."""
    for name in ("shared", "taskowned"):
        delete_if_empty(f"{directory}/{name}")
    delete_if_empty(directory)


def shared_files(checkpoint: CompletedCheckpoint) -> set[str]:
    """The files that a checkpoint shares with others, by the name that its handles give them."""
    return {
        file.name
        for record in checkpoint.manifest.operators.values()
        for handle in record.handles
        for file in handle.files
        if file.name.startswith(SHARED_PREFIX)
    }
