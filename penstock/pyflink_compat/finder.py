"""Hands out modules of the name ``pyflink...``, and ``py4j.protocol``, whose attributes are found on first use."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from penstock.pyflink_compat.absent import NAMES, reason_of_absence
from penstock.pyflink_compat.modules import MODULES
from penstock.pyflink_compat.stand_ins import NotInPenstock, stand_in


class FacadeModule(ModuleType):
    """A module of PyFlink's name. It holds nothing: the modules behind it are asked, in turn, and imported only then."""

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return self._exported()
        if not name.startswith("__") or name == "__version__":
            if f"{self.__name__}.{name}" in MODULES:
                return import_module(f"{self.__name__}.{name}")  # PyFlink's packages import their modules
            for target in MODULES[self.__name__]:
                found = getattr(_import_if_there(target), name, None)
                if found is not None:
                    setattr(self, name, found)
                    return found
            reason = reason_of_absence(self.__name__, name)
            if reason is not None:
                found = stand_in(self.__name__, name, reason)
                setattr(self, name, found)
                return found
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._exported()})

    def _exported(self) -> list[str]:
        targets = map(_import_if_there, MODULES[self.__name__])
        names = {name for target in targets for name in getattr(target, "__all__", ())}
        if self.__name__.startswith("pyflink.datastream.connectors."):
            names.update(NAMES.get(self.__name__, ()))
        return sorted(names)


def _import_if_there(name: str) -> ModuleType | None:
    """A module of penstock; None for one that this version does not have."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise


class PyFlinkFinder(MetaPathFinder, Loader):
    """Answers for every module under ``pyflink`` and ``py4j``: with a facade, or an error that says what to use instead."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in ("pyflink", "py4j"):
            return None
        if fullname.startswith("py4j.") and not isinstance(sys.modules.get("py4j"), FacadeModule):
            return None  # the py4j of another package was there first
        if fullname not in MODULES:
            reason = reason_of_absence(fullname, None)
            if reason is None:
                return None
            raise NotInPenstock(f"{fullname} cannot be imported: {reason}")
        is_package = any(module.startswith(f"{fullname}.") for module in MODULES)
        return ModuleSpec(fullname, self, is_package=is_package)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = FacadeModule(spec.name)
        module.__doc__ = f"What penstock answers with to ``import {spec.name}``."
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: attributes are found on first use."""


def installed() -> bool:
    """Whether ``import pyflink`` gives penstock in this process."""
    return any(isinstance(finder, PyFlinkFinder) for finder in sys.meta_path)
