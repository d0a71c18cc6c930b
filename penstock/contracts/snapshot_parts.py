"""Parts of what an operator remembers that may be long and do not change any more.

A value that an operator gives as its snapshot is pickled as a whole, and so with each checkpoint. A :class:`SnapshotPart` in
it may be kept as a file of its own instead: it is copied there in blocks, once for all checkpoints that have it, and read
again when somebody asks for its content.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, BinaryIO, Self

OpenPart = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the content of a part; whoever reads to the end learns there if it is not what was written."""


class SnapshotPart(ABC):
    """Something in a snapshot that does not change any more. A pickle of it has all of its content, except within
    :func:`kept_apart`, where it may have a name alone."""

    remembered: Any = None
    """Whoever stores the part keeps here what it wants to know of it when the next snapshot is stored."""

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """How long the content is, about."""

    @abstractmethod
    def content(self) -> Iterator[bytes]:
        """The content, in blocks of any size. May be walked by any thread, more than once."""

    @classmethod
    @abstractmethod
    def of_content(cls, content: bytes) -> Self:
        """The part again, from the whole content."""

    @classmethod
    @abstractmethod
    def of_stored(cls, open_part: OpenPart) -> Self:
        """The part again; the content is read when it is needed, perhaps by another thread, and perhaps several times."""

    def __reduce__(self) -> tuple[Any, ...]:
        keep = _keep.get()
        name = None if keep is None else keep(self)
        if name is None:
            return self.of_content, (b"".join(self.content()),)
        return _find, (type(self), name)


_keep: ContextVar[Callable[[SnapshotPart], str | None] | None] = ContextVar("keep", default=None)
_stored: ContextVar[Mapping[str, OpenPart]] = ContextVar("stored")


@contextmanager
def kept_apart(keep: Callable[[SnapshotPart], str | None]) -> Iterator[None]:
    """While something is pickled: ``keep(part)`` is called for each part, as often as it comes, and gives the name under
    which it will be found, or None for one that is to be in the pickle."""
    token = _keep.set(keep)
    try:
        yield
    finally:
        _keep.reset(token)


@contextmanager
def parts_found(stored: Mapping[str, OpenPart]) -> Iterator[None]:
    """While a pickle is read: where its parts are, by name."""
    token = _stored.set(stored)
    try:
        yield
    finally:
        _stored.reset(token)


def _find(kind: type[SnapshotPart], name: str) -> SnapshotPart:
    return kind.of_stored(_stored.get()[name])
