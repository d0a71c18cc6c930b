"""Rows of a collecting sink on their way from the JobManager to the client: numbered, so that an answer that is lost is given
again, and signed, so that the client unpickles nothing of strangers."""

import hmac
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from penstock.chance import secret_token
from penstock.errors import ProtocolError
from penstock.network import by_value

MOST_BATCHES = 64
_SIGNED = 32


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


def pack(part: RowsPart, key: bytes) -> bytes:
    """The bytes of a part, with the classes that another process cannot import."""
    tokens: list[str] = []
    rows = by_value.dumps(part, tokens.append)
    content = pickle.dumps(({token: by_value.definition_of(token) for token in set(tokens)}, rows), 5)
    return hmac.digest(key, content, "sha256") + content


def unpack(packed: bytes, key: bytes) -> RowsPart:
    """The part again.

    >>> unpack(pack(RowsPart("a", 1, [[1, 2]], False), b"key"), b"key").batches
    [[1, 2]]

    :raises ProtocolError: where the bytes are not signed with the key.
    """
    signature, content = packed[:_SIGNED], packed[_SIGNED:]
    if not hmac.compare_digest(signature, hmac.digest(key, content, "sha256")):
        raise ProtocolError(
            "rows of the job are not signed by the cluster whose secret is known here, and are not read; is PENSTOCK_HOME "
            "that of the cluster?"
        )
    definitions, rows = pickle.loads(content)
    for token, definition in definitions.items():
        by_value.learn(token, definition)
    part = pickle.loads(rows)
    if not isinstance(part, RowsPart):
        raise ProtocolError(f"rows were expected, and a {type(part).__name__} has come")
    return part
