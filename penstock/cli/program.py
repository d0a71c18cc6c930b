"""What a command line says is to run, and how each kind of it becomes ``__main__``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Protocol

from penstock.cli.command_lines import usage_error
from penstock.errors import ProgramError


class NotFound(ProgramError):
    """What the command line names is not there."""


class Program(Protocol):
    """Something that can run as a program; ``arguments`` are its own."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What stands behind the program on the command line."""

    @property
    def directory(self) -> str:
        """What comes first on the import path."""

    def run(self) -> None:
        """Run it to its end in this thread; what it raises is raised on.

        :raises NotFound: when it is not what the command line says.
        """


@dataclass(frozen=True, slots=True)
class FileProgram:
    """A file, as ``python FILE`` runs it."""

    path: str
    arguments: tuple[str, ...]

    @property
    def directory(self) -> str:
        """Where the file is."""
        return str(Path(self.path).resolve().parent)

    def run(self) -> None:
        """Run the file as ``__main__``."""
        sys.argv[:] = [self.path, *self.arguments]
        _run_as_main(compile(Path(self.path).read_bytes(), self.path, "exec", dont_inherit=True), self.path)


@dataclass(frozen=True, slots=True)
class ModuleProgram:
    """A module, as ``python -m MODULE`` runs it."""

    name: str
    arguments: tuple[str, ...]

    @property
    def directory(self) -> str:
        """The working directory."""
        return str(Path.cwd())

    def run(self) -> None:
        """Run the module, or the ``__main__`` of a package."""
        sys.argv[:] = [self.name, *self.arguments]
        spec = _spec_to_run(self.name)
        get_code = getattr(spec.loader, "get_code", None)
        code = None if get_code is None else get_code(spec.name)
        if code is None:
            raise NotFound(f"the module {self.name!r} has no Python code to run")
        sys.argv[0] = spec.origin or self.name
        _run_as_main(code, sys.argv[0], spec)


@dataclass(frozen=True, slots=True)
class FunctionProgram:
    """A function without arguments in a module."""

    module: str
    function: str
    arguments: tuple[str, ...]

    @property
    def directory(self) -> str:
        """The working directory."""
        return str(Path.cwd())

    def run(self) -> None:
        """Import the module and call the function."""
        sys.argv[:] = [f"{self.module}:{self.function}", *self.arguments]
        if _find(self.module) is None:
            raise NotFound(f"there is no module {self.module!r} to import, neither here nor installed")
        found: object = import_module(self.module)
        for name in self.function.split("."):
            if not hasattr(found, name):
                raise NotFound(f"there is no {self.function!r} in module {self.module!r}{_like(name, found)}")
            found = getattr(found, name)
        if not callable(found):
            raise NotFound(
                f"{self.module}:{self.function} cannot be called: it is of type {type(found).__name__}"
            )
        found()


def choose_program(
    file: str | None, module: str | None, entry: str | None, arguments: Sequence[str]
) -> Program:
    """The program that is named by one of the flags, or else by the first argument.

    :raises click.UsageError: when it is none, more than one, or cannot be one.
    """
    if sum(value is not None for value in (file, module, entry)) > 1:
        usage_error("give one of -py, -pym and -c: each of them names a program")
    if module is not None:
        return ModuleProgram(module, tuple(arguments))
    if entry is not None:
        name, colon, function = entry.partition(":")
        if not colon or not all(part.isidentifier() for part in [*name.split("."), *function.split(".")]):
            usage_error(f"-c {entry!r} is not an entry point; write -c module:function")
        return FunctionProgram(name, function, tuple(arguments))
    if file is None:
        if not arguments:
            usage_error("no program is named; give PROGRAM.py, -pym MODULE or -c MODULE:FUNCTION")
        file, *arguments = arguments
    _check_file(file)
    return FileProgram(file, tuple(arguments))


def _check_file(name: str) -> None:
    path = Path(name)
    if path.is_dir():
        usage_error(f"{name} is a directory; name a Python file in it, or run a package with -pym")
    if not path.exists():
        usage_error(f"there is no file {name!r}{_files_like(path)}")
    if path.suffix == ".jar":
        usage_error(f"{name} is a program for Java; penstock runs Python programs")
    if path.suffix != ".py":
        usage_error(f"{name} is not a Python file: its name does not end in .py")
    try:
        source = path.read_bytes()
    except OSError as error:
        usage_error(f"{name} cannot be read: {error.strerror}")
    if b"\0" in source:
        usage_error(f"{name} is not a Python program: there are null bytes in it")


def _files_like(path: Path) -> str:
    from difflib import get_close_matches

    if not path.parent.is_dir():
        return ""
    near = get_close_matches(path.name, [found.name for found in path.parent.glob("*.py")], n=1)
    return f"; did you mean {str(path.parent / near[0])!r}?" if near else ""


def _like(name: str, owner: object) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [found for found in dir(owner) if not found.startswith("_")], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _spec_to_run(name: str) -> ModuleSpec:
    spec = _find(name)
    if spec is None:
        hint = f"; did you mean {name.removesuffix('.py')!r}?" if name.endswith(".py") else ""
        raise NotFound(f"there is no module {name!r} to run, neither here nor installed{hint}")
    if spec.submodule_search_locations is None:
        return spec
    main = _find(f"{name}.__main__")
    if main is None:
        raise NotFound(f"{name!r} is a package without a __main__ that could run")
    return main


def _find(name: str) -> ModuleSpec | None:
    """Where a module is; its parents are imported, and what goes wrong in them is raised on."""
    try:
        return find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise
    except ValueError as error:
        raise NotFound(f"{name!r} cannot be the name of a module: {error}") from None


def _run_as_main(code: CodeType, file: str, spec: ModuleSpec | None = None) -> None:
    """Run code as ``__main__``, which stays: jobs in the background look up the program's classes there (runpy would
    take it away with the end of the program)."""
    module = ModuleType("__main__")
    module.__file__ = file
    module.__spec__ = spec
    module.__package__ = None if spec is None else spec.parent
    module.__loader__ = None if spec is None else spec.loader
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(code, module.__dict__)
