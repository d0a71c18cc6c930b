"""Handing out splits on request, and reading them one after the other: what most bounded sources have in common."""

from abc import abstractmethod
from collections import deque
from typing import Any, Generic, TypeVar

from penstock.contracts.source import (
    InputStatus,
    ReaderOutput,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)

S = TypeVar("S")


class SplitQueue(SplitEnumerator):
    """Gives each reader that asks the next split, in order; its snapshot is the list of those not yet given out."""

    def __init__(self, context: SplitEnumeratorContext, splits: list[Any]) -> None:
        self._context = context
        self._waiting = deque(splits)

    def handle_split_request(self, subtask: int) -> None:
        if self._waiting:
            self._context.assign_split(self._waiting.popleft(), subtask)
        if not self._waiting:
            # Said along with the last split, which saves the reader a second question.
            self._context.signal_no_more_splits(subtask)

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        self._waiting.extendleft(reversed(splits))

    def snapshot_state(self, checkpoint_id: int) -> Any:
        return list(self._waiting)


class SplitAfterSplit(SourceReader, Generic[S]):
    """Reads its splits one at a time and asks for the next when there is none left."""

    def __init__(self, context: SourceReaderContext) -> None:
        self.context = context
        self._splits: deque[S] = deque()
        self._current: S | None = None
        self._no_more_splits = False

    @abstractmethod
    def begin(self, split: S) -> None:
        """Take up a split, at the position that it holds."""

    @abstractmethod
    def read(self, split: S, output: ReaderOutput) -> S | None:
        """Emit at most one batch; the split with its position behind that batch, None when nothing is left of it."""

    def start(self) -> None:
        if not self._splits:
            self.context.send_split_request()

    def add_splits(self, splits: list[Any]) -> None:
        self._splits.extend(splits)

    def notify_no_more_splits(self) -> None:
        self._no_more_splits = True

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._current is None:
            if not self._splits:
                return InputStatus.END_OF_INPUT if self._no_more_splits else InputStatus.NOTHING_AVAILABLE
            self.begin(self._splits[0])
            self._current = self._splits.popleft()
        self._current = self.read(self._current, output)
        if self._current is not None or self._splits:
            return InputStatus.MORE_AVAILABLE
        if self._no_more_splits:
            return InputStatus.END_OF_INPUT
        self.context.send_split_request()
        return InputStatus.NOTHING_AVAILABLE

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        current = [] if self._current is None else [self._current]
        return [*current, *self._splits]
