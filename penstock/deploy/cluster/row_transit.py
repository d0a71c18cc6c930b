"""Rows of a collecting sink on their way from the JobManager to the client: numbered, so that an answer that is lost is given
again."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from penstock.chance import secret_token
from penstock.deploy.cluster.signed_values import pack

MOST_BATCHES = 64


@dataclass(frozen=True, slots=True)
class RowsPart:
    """One answer. ``session`` is new where another JobManager answers; ``has_ended``: no other rows follow."""

    session: str
    number: int
    batches: list[list[Any]]
    has_ended: bool


@dataclass(slots=True)
class RowsOutlet:
    """Gives the rows of one collector to one client, part by part. ``take`` gives batches that have come, and makes room."""

    take: Callable[[], Iterator[list[Any]]]
    has_ended: Callable[[], bool]
    key: bytes
    _session: str = field(default_factory=lambda: secret_token(8).hex())
    _number: int = 0
    _last: bytes = b""

    def part_after(self, number: int) -> bytes:
        """The part behind the one that the client has, or the last once more where the client has not got it."""
        if self._last and number < self._number:
            return self._last
        ended = self.has_ended()  # asked first: what comes after the answer comes with the next
        batches = list(islice(self.take(), MOST_BATCHES))
        self._number += 1
        part = RowsPart(self._session, self._number, batches, ended and not batches)
        self._last = pack(part, self.key)
        return self._last
