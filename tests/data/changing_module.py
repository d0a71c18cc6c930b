"""A module of the user's whose classes are written anew between two runs of a program."""

import sys
from types import ModuleType

import pytest

HEAD = """
from collections import defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import NamedTuple
"""


class ChangingModule:
    """Stands under a name that can be imported as long as a test runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str = "shop") -> None:
        self._patch = monkeypatch
        self._name = name

    def write(self, source: str) -> ModuleType:
        """Have the module consist of this source."""
        module = ModuleType(self._name)
        self._patch.setitem(sys.modules, self._name, module)
        exec(HEAD + source, module.__dict__)
        return module
