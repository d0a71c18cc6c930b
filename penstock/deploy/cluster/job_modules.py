"""The modules that jobs bring along, as the JobManager imports them: it outlives them, and they come again changed."""

import pickle
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.deploy.cluster.job_directories import JobDirectories
from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.cluster.job_requirements import PACKAGES, install_requirements
from penstock.deploy.cluster.submission import Submission


class JobModules:
    """Loads what was submitted, beside the files that came with it. Methods may be called from any thread."""

    def __init__(self, directories: JobDirectories) -> None:
        self._directories = directories
        self._lock = threading.RLock()
        self._places: dict[str, list[str]] = {}
        self._unpacked: dict[str, Path] = {}
        # What this process was started with goes first: no job hides a module from the JobManager.
        self._own = len(sys.path)

    def load(self, submission: Submission) -> Any:
        """What was pickled. Modules that other jobs have brought are imported anew where this one has them, too; functions
        that came from the older ones are shipped by value from then on.

        Raises whatever the user's modules raise.
        """
        if submission.files is not None and submission.job_id not in self._places:
            self._add(submission.job_id, submission.files)
        with self._lock:
            for place in submission.import_path:
                if place not in sys.path:
                    sys.path.append(place)
            return pickle.loads(submission.graph)

    def forget(self, job_id: str) -> None:
        """The job has ended: its files and modules are needed no more."""
        with self._lock:
            places = self._places.pop(job_id, [])
            _leave(places)
            directory = self._unpacked.pop(job_id, None)
            if directory is not None:
                self._directories.remove(directory)

    def close(self) -> None:
        """Remove all files."""
        with self._lock:
            self._directories.close()

    def _add(self, job_id: str, files: JobFiles) -> None:
        directory = self._directories.unpack(job_id, files)
        try:
            install_requirements(directory, files)  # which takes long, and holds no other job up
        except BaseException:
            self._directories.remove(directory)
            raise
        with self._lock:
            for others in self._places.values():
                _forget_modules(others)
            self._unpacked[job_id] = directory
            self._places[job_id] = import_places(directory, files)
            sys.path[self._own : self._own] = self._places[job_id]


def import_places(directory: Path, files: JobFiles) -> list[str]:
    """Where the unpacked files of a job are imported from."""
    installed = () if files.requirements is None else (PACKAGES,)
    return [str(directory / place) for place in (*files.import_path, *installed)]


def _leave(places: Sequence[str]) -> None:
    for place in places:
        if place in sys.path:
            sys.path.remove(place)
        for name in [name for name in sys.path_importer_cache if name.startswith(place)]:
            del sys.path_importer_cache[name]
    _forget_modules(places)


def _forget_modules(places: Sequence[str]) -> None:
    prefixes = tuple(f"{place}/" for place in places)
    for name, module in list(sys.modules.items()):
        if prefixes and str(getattr(module, "__file__", None) or "").startswith(prefixes):
            del sys.modules[name]
