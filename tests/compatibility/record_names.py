"""Writes down which names PyFlink has: modules, classes, their public members, functions.

    PYTHON_WITH_PYFLINK tests/compatibility/record_names.py > tests/compatibility/pyflink_names.json

Only names are kept, nothing of what they stand for. A module lists what it defines itself, and ``__all__`` where it has one.
A member is a public attribute that the class itself defines; nested classes stand under their qualified names.
Those that take types in brackets stand under ``generic``.
"""

import importlib
import inspect
import json
import pkgutil
import sys
from types import ModuleType
from typing import Any

PACKAGES = ("pyflink.common", "pyflink.datastream", "pyflink.metrics", "pyflink.testing", "pyflink.util")


def main() -> None:
    import pyflink.version

    modules = {}
    for package in PACKAGES:
        for name in sorted({package, *walk(package)}):
            found = describe(importlib.import_module(name))
            if found:
                modules[name] = found
    document = {"pyflink": pyflink.version.__version__, "modules": modules}
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


def walk(package: str) -> list[str]:
    """All modules of a package, without its tests."""
    found = pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    return [module.name for module in found if ".tests" not in module.name]


def describe(module: ModuleType) -> dict[str, Any]:
    """The names of one module."""
    own = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    classes: dict[str, list[str]] = {}
    for value in own.values():
        if inspect.isclass(value):
            describe_class(value, classes)
    functions = sorted(name for name, value in own.items() if inspect.isfunction(value))
    found: dict[str, Any] = {"classes": classes, "functions": functions, "generic": generic_classes(own)}
    exported = getattr(module, "__all__", None)
    if exported is not None:
        found["all"] = sorted(exported)
    return {key: value for key, value in found.items() if value}


def generic_classes(own: dict[str, Any]) -> list[str]:
    """The classes, and classes in them, that can be written with a type in brackets."""
    classes = [value for value in own.values() if inspect.isclass(value)]
    classes += [nested for value in classes for nested in vars(value).values() if inspect.isclass(nested)]
    return sorted({value.__qualname__ for value in classes if getattr(value, "__parameters__", ())})


def describe_class(described: type, classes: dict[str, list[str]]) -> None:
    """The public members of a class and of the classes in it."""
    members = []
    for name, value in vars(described).items():
        if name.startswith("_"):
            continue
        members.append(name)
        if inspect.isclass(value) and value.__qualname__ == f"{described.__qualname__}.{name}":
            describe_class(value, classes)
    classes[described.__qualname__] = sorted(members)


if __name__ == "__main__":
    main()
