"""Things of modules that this process does not have, or has in another version: they are pickled again as they came.

A JobManager hands the functions of its jobs to workers and calls none of them. Where a package that a job brings cannot be
loaded here, as another job's is, what the job has from it is neither made nor called: a *name* stands for a class or function
of it, a *thing* for whatever was to be made by one, a *module* for itself. In the process where the package can be had, the
pickle of all these is what the pickle was that they came from.
"""

import copyreg
import importlib
from types import ModuleType
from typing import Any

NOTHING = object()
# How pickles of protocol 2 and above make objects of classes.
_NEW: Any = vars(copyreg)["__newobj__"]
_NEW_NAMED: Any = vars(copyreg)["__newobj_ex__"]


class Name(type):
    """A class or function of a package that is not here, by its name. It is called to make a thing."""

    module: str
    path: str

    @staticmethod
    def of(module: str, path: str) -> "Name":
        """The name.

        >>> name = Name.of("far.away", "Shop.open")
        >>> name, type(name(1)) is name
        (far.away:Shop.open, True)
        """
        made = Name(path.rpartition(".")[2], (Thing,), {})
        made.module, made.path = module, path
        return made

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if cls is Thing or not hasattr(cls, "module"):
            return super().__call__(*arguments, **named)
        made: Any = object.__new__(cls)  # type: ignore[arg-type]
        made._start(cls, arguments, named)
        return made

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or name in ("module", "path", "of"):
            raise AttributeError(name)
        return Name.of(cls.module, f"{cls.path}.{name}")

    def __repr__(cls) -> str:
        return f"{cls.module}:{cls.path}" if "module" in vars(cls) else super().__repr__()


class Thing(metaclass=Name):
    """What one name, or a class of the program that extends one, was to make."""

    _maker: Any
    _arguments: tuple[Any, ...]

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        made = object.__new__(cls)
        made._start(_NEW_NAMED if named else _NEW, arguments, named)
        return made

    def _start(self, maker: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        vars(self).update(
            _maker=maker, _arguments=arguments, _named=named, _state=NOTHING, _items=[], _pairs=[]
        )

    def __setstate__(self, state: Any) -> None:
        vars(self)["_state"] = state

    def append(self, item: Any) -> None:
        """As a list would."""
        vars(self)["_items"].append(item)

    def extend(self, items: Any) -> None:
        """As a list would."""
        vars(self)["_items"].extend(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        vars(self)["_pairs"].append((key, value))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"{type(self)!r} belongs to a package that this process has in the version of another job, so {name!r} of it "
            "cannot be used here"
        )

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        has = vars(self)
        maker, arguments, named = has["_maker"], has["_arguments"], has["_named"]
        if maker is _NEW:
            arguments = (type(self), *arguments)
        elif maker is _NEW_NAMED:
            arguments = (type(self), arguments, named)
        elif named:
            maker, arguments = _call, (maker, arguments, named)
        state = () if has["_state"] is NOTHING else (has["_state"],)
        items, pairs = (
            iter(has["_items"]) if has["_items"] else None,
            iter(has["_pairs"]) if has["_pairs"] else None,
        )
        if not state and items is None and pairs is None:
            return maker, arguments
        return maker, arguments, *(state or (None,)), items, pairs


class Module(ModuleType):
    """A module that is not here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Name.of(self.__name__, name)


def reduced(value: Any) -> tuple[Any, ...] | None:
    """How a name or a module is pickled; None of all else."""
    if value is Name:  # as the class of a class that extends one of such a package
        return find, ("builtins", "type")
    kind = type(value)
    if kind is Name and "module" in vars(value):
        return find, (value.module, value.path)
    if kind is Module:
        return importlib.import_module, (value.__name__,)
    return None


def find(module: str, path: str) -> Any:
    """What a name means where its module can be had."""
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _call(maker: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    return maker(*arguments, **named)
