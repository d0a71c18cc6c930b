"""What has to hold of the files in a world: what is complete is whole, what is not complete is gone."""

import re
from concurrent.futures import Future

from penstock.checkpoint.events import NEEDLESS
from penstock.checkpoint.manifest import Manifest, read_manifest
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.snapshot_files import read_checked
from penstock.dataflow.recovery import CheckpointStatistics
from penstock.errors import PenstockError, StateError
from penstock.testing.simulation.files import ROOT, SimulatedFiles

CHECKPOINTS = "checkpoints"
SAVEPOINTS = "savepoints"
_WRITTEN = re.compile(r"the savepoint is written, at ([^,]+), but job")


def why_not_whole(directory: str, known: Manifest | None = None) -> str | None:
    """Why a checkpoint cannot be restored, every file of it; None for one that can."""
    try:
        manifest, _ = read_manifest(directory)
        if known is not None and manifest != known:
            raise StateError("its manifest is another one than the job knows")
        place = CheckpointPlace(directory)
        for record in manifest.operators.values():
            for handle in record.handles:
                for file in handle.files:
                    read_checked(place, file, f"operator {record.name!r}")
    except PenstockError as error:
        return str(error)
    return None


def broken_savepoints(files: SimulatedFiles, job_id: str, asked: list["Future[str]"]) -> list[str]:
    """What is wrong with the savepoints of a job that is over: each is answered, and whole or gone."""
    problems = [
        "a savepoint was asked for, and nobody was told what became of it"
        for each in asked
        if not each.done()
    ]
    answered = [each for each in asked if each.done()]
    complete = {each.result() for each in answered if each.exception() is None}
    # One that the job was to stop with, and did not: the error that says so names it.
    complete |= {
        found[1] for each in answered if (found := _WRITTEN.search(str(each.exception()))) is not None
    }
    for path in sorted(complete):
        why = why_not_whole(path)
        if why is not None:
            problems.append(f"savepoint {path} is complete and cannot be restored: {why}")
    for path in files.below(SAVEPOINTS):
        directory = path.rpartition("/")[0]
        if (
            directory.startswith(f"{SAVEPOINTS}/savepoint-{job_id[:6]}-")
            and ROOT + directory not in complete
            and path not in files.abandoned
            and directory not in files.undeletable
        ):
            problems.append(f"{path} was left of a savepoint that failed")
    return problems


def given_up(history: list[CheckpointStatistics]) -> list[str]:
    """Why checkpoints of a job have failed; not those that the end of the job, or a newer one, has made needless."""
    return [
        f"checkpoint {each.checkpoint_id}: {each.failure}"
        for each in history
        if each.failure is not None and each.failure not in NEEDLESS
    ]


def left_of_checkpoints(files: SimulatedFiles, job_id: str) -> list[str]:
    """The files of checkpoints that a job which has come to its end should have put away."""
    mine = files.below(f"{CHECKPOINTS}/{job_id}")
    return [f"{path} was left" for path in mine if path.rpartition("/")[0] not in files.undeletable]


def left_of_parts(files: SimulatedFiles, directory: str) -> list[str]:
    """The hidden files of a file sink that never became visible, and are of no use once the job has come to its end."""
    return [
        f"{path} was left"
        for path in files.below(ROOT + directory)
        if path.rpartition("/")[2].startswith((".", "_"))
        and path not in files.abandoned
        and path.rpartition("/")[0] not in files.undeletable
    ]
