"""A bounded memory of what was computed from keys."""

from typing import Any

FEW_KEYS = 1 << 12
MANY_KEYS = 1 << 20


class KeyCache(dict[Any, Any]):
    """Remembers more keys only while they come again.

    Subclasses compute what is missing in ``__missing__`` and call :meth:`make_room` first. Whoever looks up a batch of keys
    says so by :meth:`saw`: when ``few`` keys are remembered and fewer than one in 100 had been seen before, as where every
    record has a key of its own, all are forgotten; else twice as many may be remembered, up to ``most``.
    """

    __slots__ = ("_allowed", "_few", "_had", "_most", "_seen")

    def __init__(self, most: int = MANY_KEYS, few: int = FEW_KEYS) -> None:
        super().__init__()
        self._most = most
        self._few = self._allowed = min(few, most)
        self._had = self._seen = 0

    def make_room(self) -> None:
        """Never remember more than ``most``."""
        if len(self) >= self._most:
            self._forget()

    def saw(self, keys: int) -> None:
        """So many keys have been looked up since the last time."""
        self._seen += keys
        if len(self) < self._allowed:
            return
        known = self._seen - (len(self) - self._had)
        if known * 100 < self._seen:
            self._forget()
            return
        self._seen = 0
        self._had = len(self)
        while self._allowed <= self._had:
            self._allowed *= 2

    def _forget(self) -> None:
        self.clear()
        self._allowed = self._few
        self._had = 0
        self._seen = 0
