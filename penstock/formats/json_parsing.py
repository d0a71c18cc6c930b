"""Parsing JSON: lines of it and messages, with the digits of numbers where a type keeps them."""

import json
from typing import Any


class ExactFloat(float):
    """A number of JSON that also knows the digits it was written with, for types that keep more than a float does.

    >>> ExactFloat("0.1234567890123456789").text
    '0.1234567890123456789'
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> "ExactFloat":
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text  # which is what pydantic makes a Decimal of

    def __reduce__(self) -> tuple[Any, ...]:
        return (float, (float(self),))


class JsonParser:
    """Parses JSON. ``exact``: numbers with a point or an exponent are ``ExactFloat``."""

    def __init__(self, exact: bool) -> None:
        self._decoder = json.JSONDecoder(parse_float=ExactFloat) if exact else json.JSONDecoder()
        self._scan: Any = self._decoder.scan_once  # type: ignore[attr-defined]

    def value(self, text: str | bytes) -> Any:
        """The value that a text stands for.

        >>> JsonParser(exact=False).value(b' {"a": 1.5}')
        {'a': 1.5}

        :raises ValueError: when it is no JSON, or nested deeper than Python can follow.
        """
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        elif text.startswith("\ufeff"):
            raise json.JSONDecodeError("there is a byte order mark", text, 0)
        try:
            return self._decoder.decode(text)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None

    def lines(self, lines: list[str]) -> list[Any]:
        """The values of lines; those without any text are left out.

        >>> JsonParser(exact=False).lines(['{"a": 1}', '', ' [2] '])
        [{'a': 1}, [2]]

        :raises ValueError: as ``value`` does.
        """
        found = self._quickly(lines)
        if found is not None:
            return found
        return [self.value(line) for line in lines if line and not line.isspace()]

    def messages(self, messages: list[bytes]) -> list[Any]:
        """The value of each message.

        :raises ValueError: as ``value`` does.
        """
        try:
            found = self._quickly([message.decode() for message in messages])
        except UnicodeDecodeError:
            found = None
        return list(map(self.value, messages)) if found is None else found

    def _quickly(self, texts: list[str]) -> list[Any] | None:
        """The values of texts that are nothing else; at half the cost of decode, which looks for white space around each."""
        scan = self._scan
        try:
            found = [scan(text, 0) for text in texts]
        except (ValueError, StopIteration, RecursionError):
            return None
        if [end for _, end in found] != list(map(len, texts)):
            return None
        return [value for value, _ in found]
