"""Work that does not fit into one step of a task: it is done a piece at a time, and goes on in the next step.

A record may have results without end, a watermark may be the end of a million windows. What an operator makes of one call is
therefore a generator that does a piece, emits it, and yields of how many records it was; of the last piece it returns that.
As long as an operator is in the middle of such work, what else it is given waits behind it, nothing in front of it goes on,
and its task takes in nothing, fires no timers and takes part in no checkpoint.
"""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from penstock.clock import Clock
from penstock.contracts.pace import BATCH_RECORDS, MOST_RECORDS, STEP_S, Pace

Work = Generator[int, None, int]


class Step:
    """The step of a task, which its operators ask whether they may go on. ``has_room``: whether the task may emit more."""

    __slots__ = ("_pieces", "_until_s", "has_room", "now", "unfinished")

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic_s
        self.has_room: Callable[[], bool] = lambda: True
        self.unfinished = 0
        self._pieces: list[Pieces] = []
        self._until_s = 0.0

    def pieces(self) -> "Pieces":
        """The work of one operator, to be asked for in the order of the chain."""
        made = Pieces(self, len(self._pieces))
        self._pieces.append(made)
        return made

    def begin(self) -> None:
        """The time of the step begins."""
        self._until_s = self.now() + STEP_S

    def may_go_on(self, place: int = -1) -> bool:
        """Whether the operator at ``place``, or the task in front of all of them, may do more in this step."""
        if self.unfinished and any(pieces.is_unfinished for pieces in self._pieces[place + 1 :]):
            return False
        return self.now() < self._until_s and self.has_room()

    def go_on(self) -> bool:
        """Go on with what is unfinished, the last operator first; says whether all of it is done."""
        while self.unfinished:
            last = next(pieces for pieces in reversed(self._pieces) if pieces.is_unfinished)
            if not last.go_on():
                return False
            if self.unfinished and not self.may_go_on(len(self._pieces)):
                return False
        return True

    def close(self) -> None:
        """Give up what is unfinished."""
        for pieces in self._pieces:
            pieces.close()


class Pieces:
    """The work of one operator. Without a step, outside of a task, all of it is done at once."""

    __slots__ = ("_place", "_step", "_waiting", "most_rows", "pace")

    def __init__(self, step: Step | None = None, place: int = 0) -> None:
        self._step = step
        self._place = place
        self._waiting: deque[Work] = deque()
        self.pace = Pace()
        if step is None:
            self.pace.records = MOST_RECORDS
        self.most_rows = min(self.pace.records, BATCH_RECORDS)
        """How many rows a piece may have."""

    @property
    def is_unfinished(self) -> bool:
        """Whether the operator is in the middle of something."""
        return bool(self._waiting)

    def run(self, work: Work) -> None:
        """Do as much of it as fits into the step; all of it comes behind what is unfinished."""
        if self._step is None:
            for _ in work:
                pass
        elif self._waiting or not self._goes(work, self._step):
            self._wait(work)

    def then(self, emit: Callable[[Any], None], value: Any) -> None:
        """Call ``emit(value)`` behind what is unfinished."""
        if self._waiting:
            self._wait(_single(emit, value))
        else:
            emit(value)

    def _wait(self, work: Work) -> None:
        if not self._waiting:
            assert self._step is not None
            self._step.unfinished += 1
        self._waiting.append(work)

    def go_on(self) -> bool:
        """Go on with what is unfinished; says whether all of it is done."""
        step = self._step
        assert step is not None
        while self._waiting:
            if not self._goes(self._waiting[0], step):
                return False
            self._waiting.popleft()
            if self._waiting and not step.may_go_on(self._place):
                return False
        step.unfinished -= 1
        return True

    def _goes(self, work: Work, step: Step) -> bool:
        """Whether it came to its end."""
        now = step.now
        while True:
            began = now()
            try:
                records, is_done = next(work), False
            except StopIteration as end:
                records, is_done = end.value, True
            self.pace.took(records, now() - began)
            self.most_rows = min(self.pace.records, BATCH_RECORDS)
            if is_done or not step.may_go_on(self._place):
                return is_done

    def close(self) -> None:
        """Give up what is unfinished; generators of the user's are closed with it."""
        while self._waiting:
            self._waiting.popleft().close()


def _single(emit: Callable[[Any], None], value: Any) -> Work:
    yield from ()
    emit(value)
    return 0
