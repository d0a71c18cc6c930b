"""Feedback loops: the head passes on what enters a loop and what comes back, the tail takes what is fed back.

Between the two lies no channel, so that the graph has no circle: subtask i of the tail runs on the worker of subtask i of the
head and puts records where that one looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.contracts.effects import Effect
from penstock.contracts.state import ListStateDescriptor
from penstock.data.batch import RowBatch
from penstock.data.elements import StreamStatus
from penstock.errors import PenstockError
from penstock.operators.contract import Operator, OperatorContext, OperatorSpec
from penstock.operators.pieces import Work

IN_LOOP = ListStateDescriptor("iteration.in-loop")


@dataclass(frozen=True, slots=True)
class IterationHeadSpec(OperatorSpec):
    """``passes_input`` is false where what enters takes another way into the loop; then the input only tells of its end.

    ``max_wait_ms`` is how long to wait for records to come back, once the input has ended; 0 for ever.
    """

    iteration: str
    max_wait_ms: int
    passes_input: bool = True

    def build(self, context: OperatorContext) -> Operator:
        return IterationHead(self, context)


@dataclass(frozen=True, slots=True)
class IterationTailSpec(OperatorSpec):
    """The end of the loop's body."""

    iteration: str

    def build(self, context: OperatorContext) -> Operator:
        return IterationTail(self, context)

    @property
    def effect(self) -> Effect:
        """Whatever may be in the loop."""
        return Effect.CHANGES

    @property
    def ends_stream(self) -> bool:
        return True


class IterationHead(Operator):
    """Takes in nothing new while records wait that came back: they go first, so that a loop that is full drains."""

    waits = True

    def __init__(self, spec: IterationHeadSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._spec = spec
        self._loop = context.feedback.loop(spec.iteration, context.subtask_index)
        self._waits_until_ms: int | None = None
        self._cancel: Callable[[], None] | None = None

    def open(self) -> None:
        assert self.context.operator_state is not None
        self._kept = self.context.operator_state.get_list_state(IN_LOOP)
        self._loop.waiting.extend(RowBatch(values, times) for values, times in self._kept.get() or ())
        self._kept.clear()

    @property
    def accepts_input(self) -> bool:
        return not self._loop.waiting

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if self._spec.passes_input:
            self.context.pieces.then(self.output.emit, RowBatch(batch.values, batch.timestamps))

    def catch_up(self) -> bool:
        batches = self._loop.take()
        if batches:
            self.context.pieces.run(self._take_back(batches))
            if self._waits_until_ms is not None:
                self._wait_anew()
        return bool(batches)

    def _take_back(self, batches: list[RowBatch]) -> Work:
        """What came back, in batches as it came."""
        *others, last = batches
        for batch in others:
            self.output.emit(batch)
            yield len(batch)
        self.output.emit(last)
        return len(last)

    @property
    def in_flight(self) -> bool:
        """Asked once the input has ended: whether records may still come back."""
        if self._loop.waiting or not self._spec.max_wait_ms:
            return True
        if self._waits_until_ms is None:
            self._wait_anew()
        assert self._waits_until_ms is not None
        return self.context.clock.now_ms() < self._waits_until_ms

    def _wait_anew(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self._waits_until_ms = self.context.clock.now_ms() + self._spec.max_wait_ms
        self._cancel = self.context.processing_time.schedule(self._waits_until_ms, lambda at: None)

    def finish(self) -> None:
        self._loop.is_over = True

    def snapshot(self, checkpoint_id: int) -> None:
        self._kept.update([(batch.values, batch.timestamps) for batch in self._loop.waiting])
        self._loop.barrier_enters(checkpoint_id)

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        self._loop.forget(checkpoint_id)

    def close(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None


class IterationTail(Operator):
    """Gives records back. Watermarks and idleness end here: a loop would wait for itself."""

    def __init__(self, spec: IterationTailSpec, context: OperatorContext) -> None:
        super().__init__(context)
        self._loop = context.feedback.loop(spec.iteration, context.subtask_index)

    def open(self) -> None:
        assert self.context.operator_state is not None
        self._kept = self.context.operator_state.get_list_state(IN_LOOP)
        self._loop.waiting.extend(RowBatch(values, times) for values, times in self._kept.get() or ())
        self._kept.clear()

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        if not batch.values:
            return
        try:
            self._loop.give_back(RowBatch(batch.values, batch.timestamps))
        except PenstockError as error:
            raise error.at(self.context.place) from None

    def on_watermark(self, timestamp: int) -> None:
        pass

    def on_status(self, status: StreamStatus) -> None:
        pass

    def snapshot(self, checkpoint_id: int) -> Any:
        passed = self._loop.barrier_comes_out(checkpoint_id)
        self._kept.update([(batch.values, batch.timestamps) for batch in passed])
