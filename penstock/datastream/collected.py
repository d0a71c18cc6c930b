"""The results of ``execute_and_collect``."""

import weakref
from collections.abc import Callable, Iterator
from itertools import chain
from types import TracebackType
from typing import Any, Generic

from penstock.contracts.element_type import T


class CloseableIterator(Generic[T]):
    """Yields the records of a running job one by one; closing it before the end, or forgetting it, cancels the job."""

    def __init__(self, batches: Iterator[list[Any]], cancel: Callable[[], None]) -> None:
        self._records: Iterator[T] = chain.from_iterable(batches)
        # Before the garbage collector or the end of the program takes the job apart, which then could not end.
        self._end = weakref.finalize(self, _end, batches, cancel)

    def next(self) -> T:
        """The next record; raises StopIteration at the end."""
        return next(self._records)

    def close(self) -> None:
        """End the job, whatever it still does."""
        self._records = iter(())
        self._end()

    def __iter__(self) -> "CloseableIterator[T]":
        return self

    def __next__(self) -> T:
        return next(self._records)

    def __enter__(self) -> "CloseableIterator[T]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end(batches: Iterator[list[Any]], cancel: Callable[[], None]) -> None:
    """End the job, unless the program ends while one of its threads waits for the next record."""
    if not getattr(batches, "gi_running", False):
        close = getattr(batches, "close", None)
        if close is not None:
            close()
    cancel()
