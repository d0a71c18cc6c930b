"""Packages that this process has loaded in another version than a job has: of the job's own, nothing is loaded then.

A package with machine code stays loaded, since it cannot be loaded twice, and so do those that the JobManager consists of.
"""

import filecmp
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from types import ModuleType

# Whose names are those of this process, whatever a job brings.
_OURS = frozenset(("penstock", "cloudpickle", "__main__", "__mp_main__", *sys.stdlib_module_names))


def package_of(name: str) -> str:
    """The package of a module, by name."""
    return name.partition(".")[0]


def place_of(name: str, module: ModuleType) -> str | None:
    """The entry of ``sys.path`` that a module was imported from; None for what is no file."""
    file = getattr(module, "__file__", None)
    above = name.count(".")
    if not isinstance(file, str):  # a directory that makes a package without a file
        file = next(iter(getattr(module, "__path__", ())), None)
    elif Path(file).stem == "__init__":
        above += 1
    parents = () if not isinstance(file, str) else Path(file).parents
    return str(parents[above]) if above < len(parents) else None


def foreign_packages(own: Sequence[str], others: Collection[str]) -> frozenset[str]:
    """The packages that are loaded, and not those of a job: it has others of the same name in its ``own`` places, or none,
    and they are from a place of ``others``."""
    found = set()
    for name, module in list(sys.modules.items()):
        if "." in name or name in _OURS:
            continue
        place = place_of(name, module)
        if place is None or place in own:
            continue
        mine = next((each for each in own if _files_of(each, name)), None)
        if place in others if mine is None else not _are_same(place, mine, name):
            found.add(name)
    return frozenset(found)


@contextmanager
def passing_on(packages: frozenset[str]) -> Iterator[None]:
    """Meanwhile whoever imports something of these packages gets what stands for it."""
    if not packages:
        yield
        return
    finder = _Finder(packages)
    aside = {name: module for name, module in sys.modules.items() if package_of(name) in packages}
    for name in aside:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if package_of(name) in packages]:
            del sys.modules[name]
        sys.modules.update(aside)


class _Finder(MetaPathFinder, Loader):
    """Finds modules that stand for those of packages."""

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if package_of(fullname) in self._packages else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        from penstock.data import passed_on

        return passed_on.Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to be run."""


def _are_same(place: str, other: str, package: str) -> bool:
    """Whether two places have the same version of a package: the same files, in Python the same to the letter."""
    theirs, ours = _files_of(place, package), _files_of(other, package)
    return theirs == ours and all(
        filecmp.cmp(Path(place, name), Path(other, name), shallow=False)
        for name in theirs
        if name.endswith(".py")
    )


def _files_of(place: str, package: str) -> dict[str, int]:
    """The sizes of a package's files; none where it is not there. A directory that is no package hides no other."""
    root = Path(place, package)
    if (root / "__init__.py").is_file():
        return {
            os.path.relpath(os.path.join(folder, name), place): os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(root)
            if not folder.endswith("__pycache__")
            for name in names
        }
    names = (f"{package}.py", *(package + suffix for suffix in EXTENSION_SUFFIXES))
    return {name: os.path.getsize(Path(place, name)) for name in names if Path(place, name).is_file()}
