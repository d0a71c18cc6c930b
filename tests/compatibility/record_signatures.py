"""Writes down how PyFlink's functions and methods are called: parameters in order, and the defaults of those that have one.

    PYTHON_WITH_PYFLINK tests/compatibility/record_signatures.py > tests/compatibility/pyflink_signatures.json

Only names and the values of defaults are kept. ``self`` and ``cls`` are left out; ``*`` and ``**`` stand before parameters
that take the rest. Of classes the constructor is there as ``__init__`` where the class itself defines one.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Signature = list[list[str]]
_MARKS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def main() -> None:
    import pyflink.version
    from record_names import PACKAGES, walk  # beside this file, where it runs as a script

    modules = {}
    for package in PACKAGES:
        for name in sorted({package, *walk(package)}):
            found = describe(importlib.import_module(name))
            if found:
                modules[name] = found
    document = {"pyflink": pyflink.version.__version__, "modules": modules}
    json.dump(document, sys.stdout, indent=0, sort_keys=True)
    sys.stdout.write("\n")


def describe(module: ModuleType) -> dict[str, Signature]:
    """The signatures of one module by qualified name."""
    found: dict[str, Signature] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            describe_class(value, found)
        elif inspect.isfunction(value):
            found[name] = parameters_of(value)
    return found


def describe_class(described: type, found: dict[str, Signature]) -> None:
    """The methods of a class and of the classes in it."""
    for name, value in vars(described).items():
        if name.startswith("_") and name != "__init__":
            continue
        if inspect.isclass(value) and value.__qualname__ == f"{described.__qualname__}.{name}":
            describe_class(value, found)
        function = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if inspect.isfunction(function):
            parameters = parameters_of(function)
            found[f"{described.__qualname__}.{name}"] = (
                parameters if isinstance(value, staticmethod) else parameters[1:]
            )


def parameters_of(function: Callable[..., Any]) -> Signature:
    """``[name]`` for each parameter, ``[name, default]`` for those that may be left out."""
    return [
        [_MARKS.get(parameter.kind, "") + name]
        + ([] if parameter.default is inspect.Parameter.empty else [shown(parameter.default)])
        for name, parameter in inspect.signature(function).parameters.items()
    ]


def shown(value: Any) -> str:
    """A default as text; what has no text of its own by its class alone."""
    if value is None or isinstance(value, bool | int | float | str | bytes | tuple | list | dict):
        return repr(value)
    return type(value).__name__


if __name__ == "__main__":
    main()
