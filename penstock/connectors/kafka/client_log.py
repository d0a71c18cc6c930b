"""What Kafka's client says, in the program's logs: it repeats itself with every try to connect, twenty times a second."""

import logging
import re
from collections.abc import Callable
from typing import Any, Final

from penstock.clock import monotonic

SAME_AGAIN_S: Final = 30.0
MOST_KEPT: Final = 1000
"""Texts that are known to have been said."""

_NUMBER: Final = re.compile(r"\d+")


class SaidOnce(logging.Filter):
    """Lets a text through once in a while, whichever client it is of, and whatever numbers are in it.

    >>> lines = SaidOnce(lambda: 0.0)
    >>> said = ["refused (after 1ms)", "refused (after 2ms)", "timed out"]
    >>> [lines.is_new("FAIL", text) for text in said]
    [True, False, True]
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._said_at_s: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        arguments: Any = record.args
        if not isinstance(arguments, tuple) or len(arguments) != 3:
            return True  # not one of the client's, which are kind, name of the client, and text
        return self.is_new(str(arguments[0]), str(arguments[2]))

    def is_new(self, kind: str, text: str) -> bool:
        """Whether this was not said lately."""
        key = kind, _NUMBER.sub("0", text)
        now_s = self._now_s()
        last_s = self._said_at_s.get(key)
        if last_s is not None and now_s - last_s < SAME_AGAIN_S:
            return False
        if len(self._said_at_s) >= MOST_KEPT:
            self._said_at_s.clear()
        self._said_at_s[key] = now_s
        return True


CLIENT_LOG: Final = logging.getLogger(__name__)
"""What all clients are given as ``logger``."""
CLIENT_LOG.addFilter(SaidOnce())
