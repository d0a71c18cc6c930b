"""What becomes of the wish for a savepoint: where it goes, and how the job ends with it."""

from penstock.chance import secret_token
from penstock.checkpoint.endings import Ending
from penstock.checkpoint.events import SavepointRequest
from penstock.checkpoint.settings import CheckpointSettings
from penstock.dataflow.recovery import SavepointWish
from penstock.errors import ProgramError
from penstock.ids import JobID
from penstock.storage.reading import absolute_path


def savepoint_request(
    wish: SavepointWish, settings: CheckpointSettings, job_id: JobID, number: int
) -> SavepointRequest:
    """The request, with a directory of its own.

    :raises ProgramError: where nobody says where savepoints go.
    """
    directory = wish.directory or settings.savepoint_directory
    if directory is None:
        raise ProgramError(
            "no directory was given for the savepoint, and none is set; give one, or set "
            "execution.checkpointing.savepoint-dir"
        )
    name = f"savepoint-{str(job_id)[:6]}-{secret_token(6).hex()}"
    ending = Ending.GO_ON
    if wish.stops:
        ending = Ending.DRAIN if wish.drains else Ending.SUSPEND
    return SavepointRequest(number, f"{absolute_path(directory).rstrip('/')}/{name}", ending)
