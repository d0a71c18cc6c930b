"""Small typed identifiers."""

import os
from dataclasses import dataclass
from typing import NewType

VertexId = NewType("VertexId", int)
WorkerIndex = NewType("WorkerIndex", int)
ChannelId = NewType("ChannelId", int)
OperatorUid = NewType("OperatorUid", str)


@dataclass(frozen=True, slots=True, order=True)
class JobID:
    """A job's identity: 32 hexadecimal digits.

    >>> len(str(JobID.random()))
    32
    """

    hex: str

    @staticmethod
    def random() -> "JobID":
        """A new identity that no other job has."""
        return JobID(os.urandom(16).hex())

    def __str__(self) -> str:
        return self.hex


@dataclass(frozen=True, slots=True, order=True)
class SubtaskId:
    """One parallel instance of a vertex."""

    vertex: VertexId
    index: int

    def __str__(self) -> str:
        return f"{self.vertex}[{self.index}]"


def new_name() -> str:
    """A name that nothing else in the world has.

    >>> len(new_name()), new_name() == new_name()
    (32, False)
    """
    return os.urandom(16).hex()
