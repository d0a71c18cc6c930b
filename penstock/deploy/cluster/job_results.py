"""Notes of jobs that have ended while what they were submitted with could not be removed: nobody is to run them again.

As in Flink's job result store, an entry is dirty until everything else of its job is removed, and goes after that. It is made
where the removal fails, in the first of several places that takes it, as the storage of jobs may be away as a whole. A place
on the JobManager's own machine is not known to JobManagers elsewhere, so not every entry counts.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from penstock.dataflow.submission import JobStatus
from penstock.errors import OutsideError, PenstockError
from penstock.storage.reading import open_file
from penstock.storage.writing import delete_if_there, files_below, write_in_place

_DIRTY = "_DIRTY.json"


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job has ended under the JobManager of an epoch."""

    job_id: str
    name: str
    status: str
    failure: str
    started_ms: int
    ended_ms: int
    epoch: int

    @property
    def ended_as(self) -> JobStatus:
        """Its status."""
        return JobStatus[self.status]


class JobResults:
    """In ``directories``, of which the first is asked first."""

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = [f"{each.rstrip('/')}" for each in dict.fromkeys(directories)]
        self._known: set[str] = set()
        self._all_are_known = True

    def note(self, result: JobResult) -> None:
        """A job has ended.

        :raises OutsideError: where no place takes the entry.
        """
        self._known.add(result.job_id)
        content = json.dumps(asdict(result)).encode()
        for directory in self._directories[:-1]:
            with suppress(OutsideError):
                write_in_place(_path(directory, result.job_id), content)
                return
        write_in_place(_path(self._directories[-1], result.job_id), content)

    def counting(self, epoch: int) -> dict[str, JobResult]:
        """The entries that count for the JobManager of an epoch, by job: those of the JobManager right before it. Where
        another has led in between that may not have known of an entry, it has run the job again, and its word counts."""
        found: dict[str, JobResult] = {}
        for path in self._paths():
            job_id = path.rpartition("/")[2].removesuffix(_DIRTY)
            self._known.add(job_id)
            with suppress(PenstockError, ValueError, TypeError, KeyError):
                with open_file(path) as file:
                    result = JobResult(**json.loads(file.read()))
                is_whole = result.job_id == job_id and result.ended_as.is_globally_terminal_state()
                if is_whole and result.epoch >= epoch - 1:
                    found[job_id] = result
        return found

    def forget(self, job_id: str) -> None:
        """Nothing is left of a job but its entry; or another of its id is about to come.

        :raises OutsideError: where it cannot be removed.
        """
        if job_id in self._known or not self._all_are_known:
            for directory in self._directories:
                delete_if_there(_path(directory, job_id))
            self._known.discard(job_id)

    def forget_others(self, kept: set[str]) -> None:
        """Remove the entries of jobs that are nowhere any more; what cannot be removed is left for another time."""
        for job_id in self._known - kept:
            with suppress(OutsideError):
                self.forget(job_id)

    def _paths(self) -> list[str]:
        found = []
        for directory in self._directories:
            try:
                found += [path for path in files_below(directory) if path.endswith(_DIRTY)]
            except OutsideError:
                self._all_are_known = False
        return found


def _path(directory: str, job_id: str) -> str:
    return f"{directory}/{job_id}{_DIRTY}"
