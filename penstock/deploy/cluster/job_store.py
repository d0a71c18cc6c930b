"""What was submitted and has not ended, in the cluster's directory or at a URL: what a JobManager is taken up from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.storage.reading import open_file
from penstock.storage.writing import delete_if_there, files_below, is_local, write_in_place

_SUFFIX = ".job"


@dataclass(frozen=True, slots=True)
class JobStore:
    """``check`` is called before a job is added or removed, and raises where this JobManager does not lead."""

    directory: str
    check: Callable[[], None] = lambda: None

    def add(self, job_id: str, submission: bytes) -> None:
        """Keep what was submitted until :meth:`remove`.

        :raises OutsideError: where it cannot be written.
        """
        self.check()
        if is_local(self.directory):
            Path(self.directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        write_in_place(self._path_of(job_id), submission)

    def remove(self, job_id: str) -> None:
        """The job has ended, or could not be begun."""
        self.check()
        delete_if_there(self._path_of(job_id))

    def all(self) -> Iterator[tuple[str, bytes]]:
        """The path and the content of everything that was kept, one after the other."""
        for path in sorted(files_below(self.directory)):
            if path.endswith(_SUFFIX):
                with open_file(path) as file:
                    yield path, file.read()

    def _path_of(self, job_id: str) -> str:
        return f"{self.directory}/{job_id}{_SUFFIX}"
