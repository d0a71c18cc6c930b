"""A subtask as the worker sees it: something that is stepped until it is done."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from penstock.checkpoint.endings import Ending
from penstock.clock import monotonic
from penstock.contracts.pace import Pace
from penstock.contracts.source import InputStatus
from penstock.data.batch import Batch, RowBatch
from penstock.data.elements import MAX_WATERMARK, Barrier, EndOfInput, StreamStatus, Watermark
from penstock.errors import PenstockError, ProtocolError, StateError
from penstock.ids import SubtaskId
from penstock.logs.place import Place
from penstock.network.key_grouping import KeyGrouping
from penstock.operators.contract import OperatorContext, OperatorSnapshot
from penstock.operators.process_records import key_is_unusable, unusable_key
from penstock.operators.source import SourceOperator
from penstock.runtime.task.chain import OperatorChain
from penstock.runtime.task.input_gate import InputGate, PortEnded
from penstock.runtime.task.measures import TaskMeasures
from penstock.runtime.task.participation import NO_PART, Participation, release
from penstock.runtime.task.progress import Progress


class Tasklet(ABC):
    """One subtask. ``step`` does a bounded piece of work; the worker calls it, and nobody else."""

    def __init__(self, subtask: SubtaskId, name: str, chain: OperatorChain, buffer_timeout_ms: int) -> None:
        self.subtask = subtask
        self.name = name
        self.chain = chain
        self.measures = TaskMeasures()
        self._outputs = chain.edge_outputs
        self._buffer_timeout_s = buffer_timeout_ms / 1000 if buffer_timeout_ms >= 0 else None
        self._pending_since: float | None = None
        self._time = chain.time
        self._turn = chain.step
        self._turn.has_room = self._has_room
        self._is_held_up = False
        self._clock = chain.contexts[0].clock
        first = chain.contexts[0]
        self.place = Place(first.job_id, name, subtask.index, first.attempt)
        self._finished = False
        self._input_ended = False
        self._takes_input = True
        self.may_send_to_client = True
        self.checkpoints: Participation = NO_PART
        self._last_checkpoint = 0
        self._triggered: dict[int, Barrier] = {}
        self._endings: dict[int, Ending] = {}
        self._suspended_by = 0
        self._drained_by = 0
        self._work_is_done = False

    def open(self) -> None:
        """Open the operators."""
        self.chain.open()

    def start(self) -> None:
        """All tasks of the job are open: steps follow."""
        self.chain.start()

    def step(self) -> Progress:
        """Do a bounded piece of work; what is due by the clock comes first. Nothing is done without room in every output."""
        self.measures.step_begins()
        progress = self._step()
        self.measures.step_ends(progress)
        return progress

    def _step(self) -> Progress:
        if self._finished:
            return Progress.DONE
        if self._suspended_by:
            return Progress.IDLE
        if self._work_is_done:
            return self._step_behind_the_end()
        if not self._has_room():
            self._is_held_up = True
            return Progress.BLOCKED
        self._turn.begin()
        if self._turn.unfinished:
            self._is_held_up = True
            if self._turn.go_on():
                self._take_part_without_barriers()
            progress = Progress.MORE
        else:
            progress = self._attend_to_time_and_input()
        if progress is Progress.IDLE or progress is Progress.BLOCKED:
            self._flush()
        elif self._buffer_timeout_s is not None:
            self._flush_after_timeout()
        if progress is Progress.DONE:
            self._end()
            return self._await_checkpoint()
        return progress

    def _step_behind_the_end(self) -> Progress:
        """The step of a task that has emitted all, and waits for a checkpoint."""
        self._turn.begin()
        if self._turn.go_on():
            self._time.fire()
        if self._turn.unfinished:
            return Progress.MORE
        self._take_part_without_barriers()
        return self._await_checkpoint()

    def _attend_to_time_and_input(self) -> Progress:
        """The step of a task of which no operator is in the middle of something."""
        if self._is_held_up:
            self._is_held_up = False
            self.chain.was_held_up()
        fired = self._time.fire(self._turn.may_go_on)
        if self._turn.unfinished:
            return Progress.MORE
        if self.chain.waiting:
            progress = self._attend()
        else:
            progress = Progress.DONE if self._input_ended else self._work()
            if progress is Progress.DONE:
                self._input_ended = True
                return Progress.DONE if self.chain.finish() else Progress.MORE
        return Progress.MORE if fired and progress is not Progress.DONE else progress

    @property
    def received_bytes(self) -> int:
        """What has come to it from tasks of other processes."""
        return 0

    @property
    def sent_bytes(self) -> int:
        """What it has sent to tasks of other processes."""
        return sum(output.sent_bytes for output in self._outputs)

    def _has_room(self) -> bool:
        return self.may_send_to_client and all(output.available for output in self._outputs)

    def next_due_ms(self) -> int | None:
        """When there is something to do by the clock; None for never, as long as there is no room for what comes of it."""
        held = self._suspended_by or (self._is_held_up and not self._work_is_done)
        return None if held else self._time.next_ms()

    def _attend(self) -> Progress:
        """The step of a chain with operators that wait for something outside: they first, input only if all have room."""
        moved = False
        room = True
        for operator in reversed(self.chain.waiting):  # results of an earlier one need room in a later one
            moved = operator.catch_up() or moved
            if self._turn.unfinished:
                return Progress.MORE
            room = operator.accepts_input
            if not room:
                break
        progress = Progress.IDLE if self._input_ended else Progress.BLOCKED
        self._takes_input = room and not self._input_ended
        if self._takes_input:
            progress = self._work()
            self._input_ended = progress is Progress.DONE
            if self._input_ended:
                self._take_part_without_barriers()
        if self._input_ended:
            if self.chain.finish():
                return Progress.DONE
            progress = Progress.MORE if self._turn.unfinished else Progress.IDLE
        return Progress.MORE if moved else progress

    @abstractmethod
    def _work(self) -> Progress:
        """The step itself, with room in every output."""

    def wait_ms(self) -> int | None:
        """After IDLE: step again after so many milliseconds at the latest; None waits for something to come in."""
        return None

    def fileno(self) -> int | None:
        """After IDLE: a descriptor that becomes readable when there is something to do."""
        return None

    def _flush(self) -> None:
        self._pending_since = None
        for output in self._outputs:
            output.flush()

    def _flush_after_timeout(self) -> None:
        if not any(output.has_pending for output in self._outputs):
            self._pending_since = None
            return
        now = self._clock.monotonic_s()
        if self._pending_since is None:
            self._pending_since = now
        elif now - self._pending_since >= (self._buffer_timeout_s or 0):
            self._flush()

    def _end(self, drained: bool = True) -> None:
        """All is done. Not ``drained``: the job stops behind a savepoint, and nothing in the operators is finished."""
        if drained:
            self.chain.finish()
        for output in self._outputs:
            output.signal(EndOfInput(drained, self._drained_by))
        self._work_is_done = True
        self._take_part_without_barriers()
        if self.chain.awaits_checkpoint:
            self.checkpoints.waits(self.subtask)

    def _await_checkpoint(self) -> Progress:
        """All work is done: the end, unless something written still has to be committed by a checkpoint."""
        self._finished = not (self.chain.awaits_checkpoint or self._drained_by)
        return Progress.DONE if self._finished else Progress.IDLE

    # Checkpoints --------------------------------------------------------------------------------------------------------

    @property
    def last_checkpoint_id(self) -> int:
        """The last checkpoint that the subtask took part in, 0 for none."""
        return self._last_checkpoint

    def on_trigger(self, barrier: Barrier, ending: Ending = Ending.GO_ON) -> None:
        """A checkpoint was triggered. A task that has no inputs, or no more, takes part now, others with its barrier.

        Called between two steps, in the order in which the coordinator sent messages to the task.
        """
        if ending is Ending.DRAIN:
            self._drained_by = barrier.checkpoint_id
        elif ending is Ending.SUSPEND:
            self._endings[barrier.checkpoint_id] = ending
        if barrier.checkpoint_id <= self._last_checkpoint:
            self._suspend_behind(self._last_checkpoint)  # the barrier was quicker than this message
        else:
            self._triggered[barrier.checkpoint_id] = barrier
            self._take_part_without_barriers()

    @property
    def _gets_barriers(self) -> bool:
        """Whether there are inputs that have not ended."""
        return not (self._input_ended or self._work_is_done)

    def _take_part_without_barriers(self) -> None:
        """Take part in what was triggered if no barriers come, and no operator is in the middle of something.

        What is in flight at the end is not waited for, but for a savepoint that the end is a part of.
        """
        if self._gets_barriers or self._turn.unfinished:
            return
        for barrier in list(self._triggered.values()):
            if self._work_is_done or barrier.checkpoint_id != self._drained_by:
                self._take_part(barrier)

    def _suspend_behind(self, checkpoint_id: int) -> None:
        if self._endings.pop(checkpoint_id, None) is not None and not self._work_is_done:
            self._suspended_by = checkpoint_id

    def on_checkpoint_completed(self, checkpoint_id: int) -> None:
        """The checkpoint will be found after a failure."""
        self.chain.checkpoint_completed(checkpoint_id)
        if self._drained_by == checkpoint_id:
            self._drained_by = 0
        if self._suspended_by == checkpoint_id:
            self._suspended_by = 0
            self._end(drained=False)

    def on_checkpoint_aborted(self, checkpoint_id: int) -> None:
        """The checkpoint will never be complete."""
        self._triggered.pop(checkpoint_id, None)
        if self._suspended_by == checkpoint_id:
            self._suspended_by = 0
        if self._drained_by == checkpoint_id:
            self._drained_by = 0
        self._endings.pop(checkpoint_id, None)
        self.chain.checkpoint_aborted(checkpoint_id)

    def _take_part(self, barrier: Barrier) -> None:
        """Take the snapshot of all operators, and send the barrier on behind everything that belongs to it."""
        if barrier.checkpoint_id <= self._last_checkpoint:
            return
        self._last_checkpoint = barrier.checkpoint_id
        self._triggered = {n: each for n, each in self._triggered.items() if n > barrier.checkpoint_id}
        started = monotonic()
        try:
            snapshots = self.snapshot(barrier.checkpoint_id)
        except StateError as error:
            # The job goes on without this checkpoint; whether it may fail is the coordinator's to say.
            self.checkpoints.declined(self.subtask, barrier.checkpoint_id, error)
        else:
            self.checkpoints.stands(self.subtask, barrier.checkpoint_id)
            self._give(barrier.checkpoint_id, snapshots)
        self.measures.took_part(monotonic() - started)
        if not self._work_is_done:
            self._pending_since = None
            for output in self._outputs:
                output.signal(barrier)
        self._suspend_behind(barrier.checkpoint_id)

    def _give(self, checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        """Have the snapshots written."""
        self.checkpoints.taken(self, checkpoint_id, snapshots)

    def snapshot(self, checkpoint_id: int) -> dict[str, OperatorSnapshot]:
        """Everything that the subtask needs to go on, by operator; may be called between any two steps."""
        if not self._work_is_done:
            self._flush()
        return self.chain.snapshot(checkpoint_id)

    def close(self) -> list[BaseException]:
        """Close the operators; yields what failed."""
        return self.chain.close()


class SourceTasklet(Tasklet):
    """Polls the reader of a source."""

    def __init__(self, subtask: SubtaskId, name: str, chain: OperatorChain, buffer_timeout_ms: int) -> None:
        super().__init__(subtask, name, chain, buffer_timeout_ms)
        head = chain.head
        if not isinstance(head, SourceOperator):
            raise ProtocolError(f"{name!r} has no input, but starts with a {type(head).__name__}")
        self.source = head
        self._untold: list[Callable[[SourceOperator], None]] = []

    @property
    def _gets_barriers(self) -> bool:
        return False

    def tell_source(self, message: Callable[[SourceOperator], None]) -> None:
        """Something comes from the enumerator. What it has sent after it was asked for its state has to stay out of the
        reader's, or a split would be in both."""
        self._untold.append(message)
        self._tell_what_is_untold()

    def _tell_what_is_untold(self) -> None:
        while self._untold and not self._triggered:
            self._untold.pop(0)(self.source)

    def _take_part_without_barriers(self) -> None:
        super()._take_part_without_barriers()
        self._tell_what_is_untold()

    def on_checkpoint_aborted(self, checkpoint_id: int) -> None:
        super().on_checkpoint_aborted(checkpoint_id)
        self._tell_what_is_untold()

    def _work(self) -> Progress:
        if self._drained_by:
            return Progress.DONE
        status = self.source.poll()
        if status is InputStatus.MORE_AVAILABLE:
            return Progress.MORE
        return Progress.DONE if status is InputStatus.END_OF_INPUT else Progress.IDLE

    def wait_ms(self) -> int | None:
        return self.source.wait_ms() if self._takes_input else None

    def fileno(self) -> int | None:
        return self.source.fileno() if self._takes_input else None


class OperatorTasklet(Tasklet):
    """Reads its gate and gives what comes to the head of the chain."""

    def __init__(
        self, subtask: SubtaskId, name: str, chain: OperatorChain, buffer_timeout_ms: int, gate: InputGate
    ) -> None:
        super().__init__(subtask, name, chain, buffer_timeout_ms)
        self._gate = gate
        self.unaligned_after_s: float | None = None
        self._incomplete: tuple[int, dict[str, OperatorSnapshot]] | None = None
        self._head = chain.head
        self._pace = Pace()
        self._records_in = chain.contexts[0].metrics.counter("numRecordsIn")

    @property
    def gate(self) -> InputGate:
        """The inputs."""
        return self._gate

    @property
    def received_bytes(self) -> int:
        return self._gate.received_bytes

    def _step(self) -> Progress:
        if self.unaligned_after_s is None or self._work_is_done:
            return super()._step()
        barrier = None
        if not self._turn.unfinished:
            barrier = self._gate.overtaking(self._turn.now(), self.unaligned_after_s)
        if barrier is not None:
            self._take_part(barrier)  # although an output has no room, or records are in front of the barrier
        progress = super()._step()
        self._complete_recording()
        return progress

    def _give(self, checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        self._complete_recording()  # of an earlier checkpoint, whose last barrier may have come in this very step
        if self._gate.recorded_checkpoint == checkpoint_id:
            self._incomplete = (checkpoint_id, snapshots)
        else:
            super()._give(checkpoint_id, snapshots)

    def wait_ms(self) -> int | None:
        waits = self.unaligned_after_s is not None and self._gate.waits_for_barrier
        return max(1, round((self.unaligned_after_s or 0) * 1000)) if waits else None

    def _complete_recording(self) -> None:
        """Give the snapshots once everything that the barrier has overtaken is known."""
        if self._incomplete is None:
            return
        in_flight = self._gate.recorded()
        if in_flight is None:
            return
        checkpoint_id, snapshots = self._incomplete
        self._incomplete = None
        if not in_flight.is_empty:
            from penstock.checkpoint.handles import in_flight_id

            head = self.chain.contexts[0].operator_id
            snapshots[in_flight_id(head)] = OperatorSnapshot(own=in_flight, checkpoint_id=checkpoint_id)
        self.checkpoints.taken(self, checkpoint_id, snapshots)

    def _work(self) -> Progress:
        item = self._gate.next(self._pace.records)
        if item is None:
            return self._ended() if self._gate.ended else Progress.IDLE
        if type(item) is tuple:
            self._on_piece(item[0], item[1])
            self._catch_up()
        else:
            self._on_event(item)
        return self._ended() if self._gate.ended and not self._turn.unfinished else Progress.MORE

    def _catch_up(self) -> None:
        """Take what has queued up as long as there is time, up to a signal: what waits in a queue, where it is never made up
        for, is not in the processor's cache any more when its turn comes."""
        while not self.chain.waiting and self._turn.may_go_on():
            item = self._gate.next(self._pace.records)
            if type(item) is not tuple:
                if item is not None:
                    self._on_event(item)
                return
            self._on_piece(item[0], item[1])

    def _on_piece(self, batch: Batch, port: int) -> None:
        """Give a batch, and note how long it has taken."""
        now = self._turn.now
        began = now()
        self._on_batch(batch, port)
        if not self._turn.unfinished:
            self._pace.took(len(batch), now() - began)

    def _ended(self) -> Progress:
        """All inputs have ended: done, unless the job stops behind a savepoint; then nothing is finished."""
        # The end may be quicker than the trigger of the savepoint that it is for.
        self._drained_by = max(self._drained_by, self._gate.drained_for)
        if self._gate.drained:
            return Progress.DONE
        if not self._work_is_done:
            self._end(drained=False)
        return self._await_checkpoint()

    def _on_batch(self, batch: Batch, port: int) -> None:
        self._records_in.count += len(batch)
        give_batch(self._head.on_batch, batch, port, self.chain.contexts[0])

    def _on_event(self, event: object) -> None:
        match event:
            case Watermark(timestamp):
                self.measures.watermark = timestamp
                self._head.on_watermark(timestamp)
            case StreamStatus():
                self._head.on_status(event)
            case PortEnded(port):
                if self._gate.drained:
                    self._head.on_end_of_input(port)
            case Barrier():
                self._take_part(event)

    def close(self) -> list[BaseException]:
        self._gate.close()
        return super().close()

    def on_checkpoint_aborted(self, checkpoint_id: int) -> None:
        self._gate.abort(checkpoint_id)
        if self._incomplete is not None and self._incomplete[0] == checkpoint_id:
            release(self._incomplete[1])
            self._incomplete = None
        super().on_checkpoint_aborted(checkpoint_id)


class GroupedTasklet(OperatorTasklet):
    """Keyed input in BATCH mode: collect all of it, then give it key by key.

    After the records of a key the head is told ``end_key``; watermarks are kept back, but for the last. A port that is to be
    read first has no keys: its records are given at once.
    """

    def __init__(
        self,
        subtask: SubtaskId,
        name: str,
        chain: OperatorChain,
        buffer_timeout_ms: int,
        gate: InputGate,
        grouping: KeyGrouping,
    ) -> None:
        super().__init__(subtask, name, chain, buffer_timeout_ms, gate)
        self._grouping = grouping
        self._giving: Iterator[int] | None = None
        self._ended_ports: list[int] = []
        self._collecting = Pace()

    def _work(self) -> Progress:
        if not self._gate.ended:
            return self._collect()
        if self._giving is None:
            self._giving = self._give_all()
        now = self._turn.now
        began = now()
        for given in self._giving:
            self._pace.took(given, now() - began)
            if not self._turn.may_go_on():
                return Progress.MORE
            began = now()
        return Progress.DONE

    def _give_all(self) -> Iterator[int]:
        """Give the records of one key after the other; yields how many when they are as many as are given at once, and when
        an operator is in the middle of something."""
        turn, pace, given = self._turn, self._pace, 0
        for key, parts in self._grouping.groups():
            for port, values, timestamps in parts:
                batch, start = RowBatch(values, timestamps, [key] * len(values)), 0
                while start < len(values):
                    stop = min(start + max(1, pace.records - given), len(values))
                    self._on_batch(batch if stop - start == len(values) else batch.slice(start, stop), port)
                    given, start = given + stop - start, stop
                    if turn.unfinished or given >= pace.records:
                        yield given
                        given = 0
            self._head.end_key(key)
            if turn.unfinished:
                yield given
                given = 0
        self._head.on_watermark(MAX_WATERMARK)
        yield given
        for port in self._ended_ports:
            self._head.on_end_of_input(port)
            yield 0

    def _collect(self) -> Progress:
        item = self._gate.next(self._pace.records if self._gate.reads_first else self._collecting.records)
        if item is None:
            return Progress.MORE if self._gate.ended else Progress.IDLE
        if type(item) is tuple:
            batch, port = item
            assert isinstance(batch, RowBatch)
            if port == self._gate.first_port:
                self._on_piece(batch, port)
            else:
                began = self._turn.now()
                self._grouping.add(port, batch)
                self._collecting.took(len(batch), self._turn.now() - began)
        elif isinstance(item, PortEnded):
            self._ended_ports.append(item.port)
        return Progress.MORE

    def close(self) -> list[BaseException]:
        self._grouping.close()
        return super().close()


def give_batch(take: Callable[[Any, int], None], batch: Batch, port: int, context: OperatorContext) -> None:
    """Call the head; a key that Python cannot hash is explained with its record."""
    try:
        take(batch, port)
    except PenstockError:
        raise
    except TypeError as error:
        if not isinstance(batch, RowBatch) or not any(
            key_is_unusable(error, key) for key in batch.keys or ()
        ):
            raise
        raise unusable_key(batch, context) from error
