"""One operation of the API: where it is, what it takes and gives. The routes and the OpenAPI document come from these."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.requests import Request

Answer = Callable[[Request], Awaitable[Any]]


class Content(Enum):
    """What an operation gives."""

    JSON = "application/json"
    TEXT = "text/plain"
    HTML = "text/html"
    BYTES = "application/octet-stream"


class Given(Enum):
    """What an operation takes that is no JSON."""

    FILE = "multipart/form-data"
    JOB = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter behind the question mark. ``shape`` is a type, or texts to choose from."""

    name: str
    meaning: str
    shape: Any = str


@dataclass(frozen=True, slots=True)
class Operation:
    """``answer`` gives a response, or what becomes JSON with ``status``; ``body`` is the shape of the JSON that it takes.

    ``needs_proof``: it runs code, so where no token is set the client shows that it knows the cluster's secret.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    gives: Any = None
    queries: tuple[Query, ...] = ()
    body: Any = None
    status: int = 200
    content: Content = Content.JSON
    needs_proof: bool = False

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def area(self) -> str:
        """The first word of the path."""
        return self.path.strip("/").split("/")[0] or "page"


def in_order(operations: list[Operation]) -> list[Operation]:
    """So that a path without parameters is found before one that would take its last word for a parameter."""
    return sorted(operations, key=lambda operation: operation.path.count("{"))
