"""ParameterTool: the parameters of a program, from its command line, a file of properties or a mapping."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from penstock.errors import ProgramError

NO_VALUE_KEY = "__NO_VALUE_KEY"
"""What a flag has for its value."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_PAIR = re.compile(r"((?:\\.|[^\\=:\s])*)\s*[=:]?\s*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
T = TypeVar("T")


class ParameterTool:
    """Texts by name; the getters read numbers and truth values out of them.

    >>> parameters = ParameterTool.from_args(["--input", "a.txt", "--limit", "-5", "--verbose"])
    >>> parameters.get("input"), parameters.get_int("limit"), parameters.has("verbose")
    ('a.txt', -5, True)
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)

    @staticmethod
    def from_args(args: Sequence[str]) -> "ParameterTool":
        """Pairs ``--key value`` or ``-key value``; a key without a value is a flag."""
        parameters: dict[str, str] = {}
        position = 0
        while position < len(args):
            key = args[position].removeprefix("-").removeprefix("-")
            if not args[position].startswith("-") or not key:
                raise ProgramError(
                    f"Error parsing arguments {list(args)!r} on {args[position]!r}. Please prefix keys with -- or -."
                )
            position += 1
            value = NO_VALUE_KEY
            if position < len(args) and (
                not args[position].startswith("-") or _NUMBER.fullmatch(args[position])
            ):
                value = args[position]
                position += 1
            parameters[key] = value
        return ParameterTool(parameters)

    @staticmethod
    def from_map(parameters: Mapping[str, Any]) -> "ParameterTool":
        """The pairs of a mapping; values become texts."""
        return ParameterTool({str(key): str(value) for key, value in parameters.items()})

    @staticmethod
    def from_properties_file(path: str | Path) -> "ParameterTool":
        """The pairs of a file in the format of Java's properties.

        :raises ProgramError: when there is no such file.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ProgramError(f"Properties file {str(path)!r} does not exist") from error
        parameters: dict[str, str] = {}
        for line in _logical_lines(text):
            found = _PAIR.fullmatch(line)
            assert found is not None  # every part of the pattern may be empty
            parameters[_unescaped(found[1])] = _unescaped(found[2])
        return ParameterTool(parameters)

    def has(self, key: str) -> bool:
        """Whether there is a parameter, a flag among them."""
        return key in self._parameters

    def get(self, key: str, default_value: str | None = None) -> str | None:
        """The text of a parameter."""
        return self._parameters.get(key, default_value)

    def get_required(self, key: str) -> str:
        """The text of a parameter that must be there.

        :raises ProgramError: when it is not.
        """
        if key not in self._parameters:
            known = ", ".join(sorted(self._parameters)) or "none"
            raise ProgramError(f"No data for required key {key!r}; there are: {known}")
        return self._parameters[key]

    def get_int(self, key: str, default_value: int | None = None) -> int:
        """A parameter as an integer."""
        return self._read(key, default_value, int, "an integer")

    get_long = get_short = get_byte = get_int

    def get_float(self, key: str, default_value: float | None = None) -> float:
        """A parameter as a number."""
        return self._read(key, default_value, float, "a number")

    get_double = get_float

    def get_boolean(self, key: str, default_value: bool | None = None) -> bool:
        """Whether a parameter is the word ``true``, in small or capital letters."""
        return self._read(key, default_value, lambda text: text.lower() == "true", "true or false")

    def _read(self, key: str, default_value: T | None, parse: Callable[[str], T], what: str) -> T:
        if key not in self._parameters and default_value is not None:
            return default_value
        text = self.get_required(key)
        try:
            return parse(text)
        except ValueError as error:
            raise ProgramError(f"parameter {key!r} must be {what}, not {text!r}") from error

    def get_number_of_parameters(self) -> int:
        """How many there are."""
        return len(self._parameters)

    def to_map(self) -> dict[str, str]:
        """All parameters, as for ``env.get_config().set_global_job_parameters``."""
        return dict(self._parameters)

    def merge_with(self, other: "ParameterTool") -> "ParameterTool":
        """The parameters of both; where both have one, that of ``other``."""
        return ParameterTool({**self._parameters, **other._parameters})

    def __repr__(self) -> str:
        return f"ParameterTool({self._parameters!r})"


def _logical_lines(text: str) -> list[str]:
    """Lines with their continuations, without comments and empty ones."""
    lines: list[str] = []
    pending: str | None = None
    for line in text.splitlines():
        line = line.lstrip()
        if pending is None and (not line or line[0] in "#!"):
            continue
        line = (pending or "") + line
        continues = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        pending = line[:-1] if continues else None
        if not continues:
            lines.append(line)
    return lines if pending is None else [*lines, pending]


def _unescaped(text: str) -> str:
    def letter(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _LETTERS.get(code, code)

    return _ESCAPE.sub(letter, text)
