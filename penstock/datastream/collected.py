"""The results of ``execute_and_collect``."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Generic

from penstock.contracts.element_type import T


class CloseableIterator(Generic[T]):
    """Yields the records of a running job one by one; closing it before the end cancels the job."""

    def __init__(self, batches: Iterator[list[Any]], cancel: Callable[[], None]) -> None:
        self._batches = batches
        self._cancel = cancel
        self._records = self._flatten()

    def _flatten(self) -> Iterator[T]:
        for batch in self._batches:
            yield from batch

    def next(self) -> T:
        """The next record; raises StopIteration at the end."""
        return next(self._records)

    def close(self) -> None:
        """End the job, whatever it still does."""
        self._records = iter(())
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()
        self._cancel()

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
