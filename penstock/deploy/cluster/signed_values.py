"""Python values on their way from the JobManager to a client: signed, so that the client unpickles nothing of strangers."""

import hmac
import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from penstock.dataflow.recovery import CheckpointStatistics, Recovery
from penstock.errors import ProtocolError
from penstock.network import by_value

_SIGNED = 32

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class JobValues:
    """What a program may ask of its job, as it would have it from a job in its own process."""

    accumulators: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    recovery: Recovery = field(default_factory=Recovery)
    checkpoints: tuple[CheckpointStatistics, ...] = ()


def pack(value: object, key: bytes) -> bytes:
    """The bytes of a value, with the classes that another process cannot import."""
    tokens: list[str] = []
    pickled = by_value.dumps(value, tokens.append)
    content = pickle.dumps(({token: by_value.definition_of(token) for token in set(tokens)}, pickled), 5)
    return hmac.digest(key, content, "sha256") + content


def unpack(packed: bytes, keys: Iterable[bytes], kind: type[Kind]) -> Kind:
    """The value again.

    >>> unpack(pack(JobValues({"lines": 5}), b"key"), [b"key"], JobValues).accumulators
    {'lines': 5}

    :raises ProtocolError: where the bytes are signed with none of the keys, or hold something else.
    """
    signature, content = packed[:_SIGNED], packed[_SIGNED:]
    if not any(hmac.compare_digest(signature, hmac.digest(key, content, "sha256")) for key in keys):
        raise ProtocolError(
            "values of the job are not signed by the cluster whose secret is known here, and are not read; is PENSTOCK_HOME "
            "that of the cluster?"
        )
    definitions, pickled = pickle.loads(content)
    for token, definition in definitions.items():
        by_value.learn(token, definition)
    value = pickle.loads(pickled)
    if not isinstance(value, kind):
        raise ProtocolError(f"a {kind.__name__} was expected, and a {type(value).__name__} has come")
    return value
