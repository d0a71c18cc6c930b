"""Stands for hypothesis in interpreters that it is not installed for: its tests say that they were left out."""

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.missing import leave_out_for_want_of


class _Anything(ModuleType):
    """Whatever is asked of it and however it is called, it is that again."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self

    def __or__(self, other: Any) -> Any:
        return self


strategies = sys.modules["hypothesis.strategies"] = _Anything("hypothesis.strategies")


def given(*by_position: Any, **by_name: Any) -> Callable[[Any], Any]:
    """Leave a test out, under its name. Arguments that are not of hypothesis stay."""

    def leave_out(function: Callable[..., None]) -> Any:
        signature = inspect.signature(function)
        names = list(signature.parameters)[: len(signature.parameters) - len(by_position)]
        kept = [signature.parameters[name] for name in names if name not in by_name]

        def test(**arguments: Any) -> None:
            leave_out_for_want_of(
                "hypothesis for this interpreter", "its tests of generated values are run by others"
            )

        test.__name__ = function.__name__
        test.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return test

    return leave_out


def example(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """Nothing."""
    return lambda function: function


settings = example
