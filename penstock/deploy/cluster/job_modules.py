"""The modules of jobs, as the JobManager imports them: it outlives the jobs, and their modules come again changed, or under a
name that another has."""

import importlib
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.deploy.cluster.foreign_packages import foreign_packages, package_of, passing_on, place_of
from penstock.deploy.cluster.job_directories import JobDirectories
from penstock.deploy.cluster.job_files import JobFiles
from penstock.deploy.cluster.job_requirements import PACKAGES, install_requirements
from penstock.deploy.cluster.submission import Submission

_LIBRARIES = re.compile(r"(^|/)(site-packages|dist-packages|lib-dynload|python\d+(\.\d+)?(\.zip)?)(/|$)")


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the modules of a job are: in what it has ``brought``, and where its program was started. What is installed on
    that machine, in ``libraries``, is for whoever lacks it here; it is not loaded twice, as much of it cannot be."""

    brought: tuple[str, ...]
    named: tuple[str, ...]
    libraries: tuple[str, ...]
    unpacked: Path | None = None

    @property
    def own(self) -> tuple[str, ...]:
        """Those whose modules are the job's own."""
        return (*self.brought, *self.named)


class JobModules:
    """Loads what was submitted, beside the files that came with it. Methods may be called from any thread."""

    def __init__(self, directories: JobDirectories) -> None:
        self._directories = directories
        self._lock = threading.RLock()
        self._places: dict[str, _Places] = {}
        self._used: set[str] = (
            set()
        )  # the places of jobs, those that have ended too while something of them is loaded
        self._path = tuple(sys.path)
        self._loaded = frozenset(sys.modules)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this process itself imports from."""
        return self._path

    def load(self, submission: Submission) -> Any:
        """What was pickled, with modules that are imported anew, from where the program had them. Functions that came from
        modules of other jobs are shipped by value from then on. What this process has of another job, and cannot have twice,
        is passed on to the workers as it came.

        Raises whatever the user's modules raise.
        """
        places = self._places.get(submission.job_id) or self._places_of(submission)
        with self._lock:
            self._places[submission.job_id] = places
            others = list(self._places.values())
            self._forget_modules(place for each in others for place in each.named)
            if places.brought:
                self._forget_modules(place for each in others for place in each.brought)
            # As in the program, its own modules come first; later, when nobody knows who imports, those of the JobManager do.
            sys.path[:] = _each_once([*places.own, *self._path, *places.libraries])
            importlib.invalidate_caches()
            self._used.update(places.own)
            foreign = foreign_packages(places.own, self._used)
            try:
                with passing_on(foreign):
                    return submission.load_graph(foreign)
            finally:
                self._restore_path()

    def forget(self, job_id: str) -> None:
        """The job has ended: its files and modules are needed no more."""
        with self._lock:
            places = self._places.pop(job_id, None)
            if places is None:
                return
            self._restore_path()
            for name in [name for name in sys.path_importer_cache if name.startswith(places.brought)]:
                del sys.path_importer_cache[name]
            self._forget_modules(places.own)
            loaded = {place_of(name, module) for name, module in list(sys.modules.items())}
            live = {place for each in self._places.values() for place in each.own}
            self._used.difference_update(set(places.own) - loaded - live)
            # What stays loaded may have to import more of itself.
            if places.unpacked is not None and not loaded.intersection(places.brought):
                self._directories.remove(places.unpacked)

    def close(self) -> None:
        """Remove all files."""
        with self._lock:
            self._directories.close()

    def _places_of(self, submission: Submission) -> _Places:
        brought: tuple[str, ...] = ()
        unpacked = None
        if submission.files is not None:
            unpacked = self._directories.unpack(submission.job_id, submission.files)
            try:
                install_requirements(
                    unpacked, submission.files
                )  # which takes long, and holds no other job up
            except BaseException:
                self._directories.remove(unpacked)
                raise
            brought = tuple(import_places(unpacked, submission.files))
        libraries = tuple(place for place in submission.import_path if _LIBRARIES.search(place))
        named = tuple(str(Path(place)) for place in submission.import_path if place not in libraries)
        return _Places(brought, named, libraries, unpacked)

    def _restore_path(self) -> None:
        newest_first = list(reversed(self._places.values()))
        own = [place for places in newest_first for place in places.own]
        sys.path[:] = _each_once(
            [*self._path, *own, *(p for places in newest_first for p in places.libraries)]
        )

    def _forget_modules(self, places: Iterable[str]) -> None:
        """Have what was imported from places imported anew, but for what this process itself consists of, and for packages
        with machine code, which cannot be loaded twice."""
        wanted = frozenset(places)
        found = {name: module for name, module in list(sys.modules.items()) if name not in self._loaded}
        staying = {
            "penstock",
            *(package_of(name) for name, module in found.items() if _is_machine_code(module)),
        }
        # All of them are looked at before one goes: where a package without a file is, is asked of the package above it.
        going = [
            name
            for name, module in found.items()
            if package_of(name) not in staying and place_of(name, module) in wanted
        ]
        for name in going:
            sys.modules.pop(name, None)


def import_places(directory: Path, files: JobFiles) -> list[str]:
    """Where the unpacked files of a job are imported from."""
    installed = () if files.requirements is None else (PACKAGES,)
    return [str(directory / place) for place in (*files.import_path, *installed)]


def _is_machine_code(module: ModuleType) -> bool:
    return str(getattr(module, "__file__", None)).endswith(tuple(EXTENSION_SUFFIXES))


def _each_once(places: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(places))
