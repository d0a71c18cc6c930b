"""What was submitted and has not ended, in the cluster's directory or at a URL: what a JobManager is taken up from.

Beside each job lies a note of its latest completed checkpoint, written before anybody is told that it is complete: sinks may
have committed it, so whoever takes the job up goes back no further. Each JobManager writes notes of its own, named by its
epoch, so that one that leads no longer cannot put an older note in the place of a newer one.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from penstock.errors import StateError
from penstock.storage.reading import open_file, outside_errors
from penstock.storage.writing import delete_if_there, files_below, is_local, write_in_place

_SUFFIX = ".job"
_NOTE = ".latest"


@dataclass(frozen=True, slots=True)
class LatestCheckpoint:
    """The number of a completed checkpoint, or of the savepoint that a job was stopped with, and where it is."""

    checkpoint_id: int
    directory: str


@dataclass(frozen=True, slots=True)
class JobStore:
    """``check`` is called before anything is written or removed, and raises where this JobManager does not lead; ``epoch``
    is the one that it has."""

    directory: str
    check: Callable[[], None] = lambda: None
    epoch: Callable[[], int] = lambda: 0

    def add(self, job_id: str, submission: bytes) -> None:
        """Keep what was submitted until :meth:`remove`.

        :raises OutsideError: where it cannot be written.
        """
        self.check()
        self._make_directory()
        write_in_place(self._path_of(job_id), submission)

    def remove(self, job_id: str) -> None:
        """The job has ended, or could not be begun."""
        self.check()
        delete_if_there(self._path_of(job_id))
        delete_if_there(self._note_of(job_id))

    def all(self) -> Iterator[tuple[str, bytes]]:
        """The id and the content of everything that was kept, one after the other.

        :raises OutsideError: where it cannot be read.
        """
        for path in sorted(files_below(self.directory)):
            if path.endswith(_SUFFIX):
                yield path.rpartition("/")[2].removesuffix(_SUFFIX), _content(path)

    def note(self, job_id: str, latest: LatestCheckpoint | None) -> None:
        """Keep in mind which checkpoint of a job is the latest that is complete.

        :raises OutsideError: where it cannot be written.
        """
        self.check()
        if latest is None:
            delete_if_there(self._note_of(job_id))
            return
        self._make_directory()
        write_in_place(self._note_of(job_id), json.dumps(asdict(latest)).encode())

    def latest(self, job_id: str) -> LatestCheckpoint | None:
        """What the last JobManager that has noted anything of a job has noted; None where none has.

        :raises OutsideError: where it cannot be read.
        :raises StateError: where what is there is no note.
        """
        notes = self._notes(job_id)
        if not notes:
            return None
        try:
            return LatestCheckpoint(**json.loads(_content(notes[-1])))
        except (ValueError, TypeError) as error:
            raise StateError(f"{notes[-1]} does not say which checkpoint is the latest: {error}") from error

    def forget_notes_of_others(self, job_id: str | None = None) -> None:
        """Remove what JobManagers before this one have noted: of a job for which this one has noted as much, or of jobs that
        are not there any more."""
        self.check()
        if job_id is not None:
            stale = [path for path in self._notes(job_id) if path != self._note_of(job_id)]
        else:
            files = files_below(self.directory)
            kept = {path.removesuffix(_SUFFIX) for path in files if path.endswith(_SUFFIX)}
            notes = [path for path in files if path.endswith(_NOTE)]
            stale = [path for path in notes if path.removesuffix(_NOTE).rpartition(".")[0] not in kept]
        for path in stale:
            delete_if_there(path)

    def _notes(self, job_id: str) -> list[str]:
        """The notes of a job, that of the newest epoch last."""
        start = f"{job_id}."
        return sorted(
            path
            for path in files_below(self.directory)
            if path.endswith(_NOTE) and path.rpartition("/")[2].startswith(start)
        )

    def _make_directory(self) -> None:
        if is_local(self.directory):
            Path(self.directory).mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path_of(self, job_id: str) -> str:
        return f"{self.directory}/{job_id}{_SUFFIX}"

    def _note_of(self, job_id: str) -> str:
        return f"{self.directory}/{job_id}.{self.epoch():010d}{_NOTE}"


def _content(path: str) -> bytes:
    with outside_errors(path), open_file(path) as file:
        return file.read()
