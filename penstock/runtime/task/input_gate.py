"""The inputs of one task: fair reading over its channels, the minimum of their watermarks, the end of each port."""

import sys
from collections import deque
from dataclasses import dataclass

from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.elements import (
    ACTIVE,
    IDLE,
    MIN_TIMESTAMP,
    Barrier,
    Element,
    EndOfInput,
    StreamStatus,
    Watermark,
)
from penstock.errors import ProtocolError
from penstock.network.channel import InputChannel
from penstock.network.spilled import SpoolChannel
from penstock.runtime.task.barrier_alignment import BarrierAlignment
from penstock.runtime.task.in_flight import InFlight, Recording


@dataclass(frozen=True, slots=True)
class PortEnded:
    """All channels of a port have come to their end."""

    port: int


GateEvent = Watermark | StreamStatus | PortEnded | Barrier


class _Slot:
    """One channel with what is known of it."""

    __slots__ = ("blocked", "channel", "ended", "idle", "lags", "port", "replayed", "watermark")

    def __init__(self, port: int, channel: InputChannel) -> None:
        self.port = port
        self.channel = channel
        self.watermark = MIN_TIMESTAMP
        self.idle = False
        self.lags = False
        self.ended = False
        self.blocked = False
        self.replayed: deque[Element] = deque()


class InputGate:
    """Reads channels in turn. ``next`` yields a batch with its port, an event, or None when nothing has come in.

    ``in_order``: the channels whose elements no barrier may overtake.
    """

    def __init__(
        self,
        channels: list[tuple[int, InputChannel]],
        alignment: BarrierAlignment | None = None,
        in_order: frozenset[int] = frozenset(),
    ) -> None:
        self._in_order = in_order
        self._replays = False
        self._alignment = BarrierAlignment() if alignment is None else alignment
        self._slots = [_Slot(port, channel) for port, channel in channels]
        self._next = 0
        self._watermark = MIN_TIMESTAMP
        self._idle = False
        self._open_ports = {port: sum(p == port for p, _ in channels) for port, _ in channels}
        self._held: list[SpoolChannel] = []
        self._waiting: list[GateEvent] = []
        self._rest: tuple[_Slot, Batch, int] | None = None
        self._recording: Recording | None = None
        self._barrier_since: float | None = None
        self._first_slots: list[_Slot] = []
        self.first_port: int | None = None
        self.drained = True
        self.drained_for = 0

    def read_first(self, port: int) -> None:
        """Give nothing of the other ports before this one has come to its end."""
        self.first_port = port
        self._first_slots = [slot for slot in self._slots if slot.port == port]

    @property
    def reads_first(self) -> bool:
        """Whether a port that is read first has not come to its end."""
        return self.first_port in self._open_ports

    def hold_until_complete(self) -> None:
        """Give nothing before every channel that spools has all of its input: a blocking exchange."""
        self._held = [slot.channel for slot in self._slots if isinstance(slot.channel, SpoolChannel)]

    @property
    def ended(self) -> bool:
        """Whether every channel has come to its end."""
        return not self._open_ports and not self._waiting

    @property
    def received_bytes(self) -> int:
        """What has come from other processes."""
        return sum(slot.channel.received_bytes for slot in self._slots)

    @property
    def watermark(self) -> int:
        """The minimum over all active channels so far."""
        return self._watermark

    def next(self, most_records: int = sys.maxsize) -> tuple[Batch, int] | GateEvent | None:
        """The next thing to do. A batch of more than ``most_records`` comes in several, with nothing between them."""
        if self._waiting:
            return self._waiting.pop(0)
        if self._rest is not None:
            return self._piece(*self._rest, most_records)
        if self._held:
            if not all(spool.ended for spool in self._held):
                return None
            self._held = []
        slots = self._first_slots if self.reads_first else self._slots
        if self._replays:
            slots = self._with_replayed() or slots
        count = len(slots)
        start = self._next
        for offset in range(count):
            slot = slots[(start + offset) % count]
            while not slot.ended and not slot.blocked and (slot.channel.has_data or slot.replayed):
                element = slot.replayed.popleft() if slot.replayed else slot.channel.poll()
                if type(element) is RowBatch or type(element) is ColumnBatch:
                    self._next = (start + offset + 1) % count
                    return self._piece(slot, element, 0, most_records)
                if self._recording is not None and element is not None:
                    self._recording.read(self._slots.index(slot), element)
                event = self._signal(slot, element)
                if event is not None:
                    return event
        return None

    def _piece(self, slot: _Slot, batch: Batch, start: int, most_records: int) -> tuple[Batch, int]:
        """The records of a batch from ``start`` on, and the rest of it the next time."""
        size = len(batch)
        stop = min(start + most_records, size)
        self._rest = None if stop == size else (slot, batch, stop)
        piece = batch if stop - start == size else batch.slice(start, stop)
        if self._recording is not None:
            self._recording.read(self._slots.index(slot), piece)
        return piece, slot.port

    def _with_replayed(self) -> list[_Slot]:
        """What was restored is read before anything new: records of a key may have come back on another channel."""
        slots = [slot for slot in self._slots if slot.replayed]
        self._replays = bool(slots)
        return slots

    def _signal(self, slot: _Slot, element: object) -> GateEvent | None:
        match element:
            case Watermark(timestamp):
                slot.watermark = max(slot.watermark, timestamp)
                slot.lags = slot.lags and slot.watermark < self._watermark
                return self._merged()
            case StreamStatus(idle):
                return self._status(slot, idle)
            case EndOfInput(drained, savepoint_id):
                self.drained = self.drained and drained
                self.drained_for = max(self.drained_for, savepoint_id)
                return self._end(slot)
            case Barrier():
                return self._barrier(slot, element)
            case None:
                return None
            case _:
                raise ProtocolError(f"a channel yielded {element!r:.100}")

    def _merged(self) -> Watermark | None:
        """The watermark of the task, if it has moved: the minimum over the channels that are neither idle nor ended.

        A channel that was idle, and is active again behind the task's watermark, counts once it has caught up.
        """
        counted = (slot.watermark for slot in self._slots if not (slot.idle or slot.ended or slot.lags))
        return self._moved_to(min(counted, default=MIN_TIMESTAMP))

    def _moved_to(self, timestamp: int) -> Watermark | None:
        if timestamp <= self._watermark:
            return None
        self._watermark = timestamp
        return Watermark(timestamp)

    def _status(self, slot: _Slot, idle: bool) -> GateEvent | None:
        slot.idle = idle
        slot.lags = not idle and slot.watermark < self._watermark
        all_idle = all(each.idle for each in self._slots if not each.ended)
        if all_idle == self._idle:
            return self._merged()
        self._idle = all_idle
        if not all_idle:
            return ACTIVE
        if slot.watermark == self._watermark:
            # Nobody is left to wait for, so those that were ahead count now.
            flushed = self._moved_to(max(each.watermark for each in self._slots if not each.ended))
            if flushed is not None:
                self._waiting.append(IDLE)
                return flushed
        return IDLE

    def _end(self, slot: _Slot) -> GateEvent | None:
        slot.ended = True
        self._open_ports[slot.port] -= 1
        event: GateEvent | None = self._merged()
        if self._open_ports[slot.port] == 0:
            del self._open_ports[slot.port]
            event = PortEnded(slot.port)
        aligned = self._alignment.ended(self._open_slots())
        if aligned:
            self._unblock()
            self._waiting += aligned if event is None else [event, *aligned]
            return self._waiting.pop(0)
        return event

    def close(self) -> None:
        """Nothing is read any more."""
        for slot in self._slots:
            if isinstance(slot.channel, SpoolChannel):
                slot.channel.leave()

    # Barriers -----------------------------------------------------------------------------------------------------------

    @property
    def recorded_checkpoint(self) -> int | None:
        """The checkpoint whose barrier has overtaken elements that belong to it, and that are being recorded."""
        return None if self._recording is None else self._recording.barrier.checkpoint_id

    @property
    def waits_for_barrier(self) -> bool:
        """Whether a barrier has come that has not overtaken anything yet."""
        return self._barrier_since is not None

    def overtaking(self, now_s: float, patience_s: float) -> Barrier | None:
        """The barrier of a checkpoint that has been waited for too long; from now on what it overtakes is recorded.

        Barriers of savepoints wait: a savepoint holds no elements that are on their way. So does one that comes while what
        another has overtaken is not all there.
        """
        if self._recording is not None:
            return None
        barrier = self._alignment.barrier or self._arrived()
        if barrier is None or barrier.savepoint or self._alignment.is_done(barrier.checkpoint_id):
            self._barrier_since = None
            return None
        if not self._in_order & self._open_slots() <= self._alignment.brought(barrier):
            return None
        if self._barrier_since is None:
            self._barrier_since = now_s
        if now_s - self._barrier_since < patience_s:
            return None
        self._barrier_since = None
        unread = self._open_slots() - self._alignment.brought(barrier)
        self._recording = Recording(barrier, len(self._slots), unread)
        if self._alignment.overtakes(barrier):
            self._unblock()
        return barrier

    def recorded(self) -> InFlight | None:
        """What the barrier has overtaken, once it has arrived on every channel."""
        recording = self._recording
        if recording is None:
            return None
        # Before all that waits is looked at, which costs as much as reading it.
        for index, slot in enumerate(self._slots):
            channel = slot.channel
            if not recording.may_be_whole(index, channel.waiting_barriers(), channel.has_end):
                return None
        in_flight = recording.whole(
            [[*self._rest_of(slot), *slot.replayed, *slot.channel.queued()] for slot in self._slots]
        )
        if in_flight is not None:
            self._recording = None
        return in_flight

    def _rest_of(self, slot: _Slot) -> list[Element]:
        if self._rest is None or self._rest[0] is not slot:
            return []
        _, batch, start = self._rest
        return [batch.slice(start, len(batch))]

    def replay(self, in_flight: InFlight) -> None:
        """Give what was on its way in the restored checkpoint before anything new; called before the first :meth:`next`."""
        for slot, elements in zip(self._slots, in_flight.channels, strict=True):
            slot.replayed.extend(elements)
        self._replays = not in_flight.is_empty

    def _arrived(self) -> Barrier | None:
        for slot in self._slots:
            if slot.channel.barriers and not slot.ended:
                for barrier in slot.channel.waiting_barriers():
                    if not self._alignment.is_done(barrier.checkpoint_id):
                        return barrier
        return None

    def abort(self, checkpoint_id: int) -> None:
        """The checkpoint will never be complete: read on where its barrier has stopped the reading."""
        if self._recording is not None and self._recording.barrier.checkpoint_id == checkpoint_id:
            self._recording = None
        if self._alignment.abort(checkpoint_id):
            self._unblock()

    def _barrier(self, slot: _Slot, barrier: Barrier) -> GateEvent | None:
        index = self._slots.index(slot)
        if self._alignment.begins_anew(barrier):
            self._unblock()
        aligned = self._alignment.arrived(index, barrier, self._open_slots())
        if aligned is not None:
            self._unblock()
        slot.blocked = self._alignment.holds(index)
        return aligned

    def _open_slots(self) -> set[int]:
        return {index for index, slot in enumerate(self._slots) if not slot.ended}

    def _unblock(self) -> None:
        for slot in self._slots:
            slot.blocked = False
