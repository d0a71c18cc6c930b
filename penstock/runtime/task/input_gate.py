"""The inputs of one task: fair reading over its channels, the minimum of their watermarks, the end of each port."""

from dataclasses import dataclass

from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.elements import (
    ACTIVE,
    IDLE,
    MIN_TIMESTAMP,
    Barrier,
    EndOfInput,
    StreamStatus,
    Watermark,
)
from penstock.errors import ProtocolError
from penstock.network.channel import InputChannel
from penstock.network.spilled import SpoolChannel
from penstock.runtime.task.barrier_alignment import BarrierAlignment


@dataclass(frozen=True, slots=True)
class PortEnded:
    """All channels of a port have come to their end."""

    port: int


GateEvent = Watermark | StreamStatus | PortEnded | Barrier


class _Slot:
    """One channel with what is known of it."""

    __slots__ = ("blocked", "channel", "ended", "idle", "lags", "port", "watermark")

    def __init__(self, port: int, channel: InputChannel) -> None:
        self.port = port
        self.channel = channel
        self.watermark = MIN_TIMESTAMP
        self.idle = False
        self.lags = False
        self.ended = False
        self.blocked = False


class InputGate:
    """Reads channels in turn. ``next`` yields a batch with its port, an event, or None when nothing has come in."""

    def __init__(
        self, channels: list[tuple[int, InputChannel]], alignment: BarrierAlignment | None = None
    ) -> None:
        self._alignment = BarrierAlignment() if alignment is None else alignment
        self._slots = [_Slot(port, channel) for port, channel in channels]
        self._next = 0
        self._watermark = MIN_TIMESTAMP
        self._idle = False
        self._open_ports = {port: sum(p == port for p, _ in channels) for port, _ in channels}
        self._held: list[SpoolChannel] = []
        self._waiting: list[GateEvent] = []
        self._first_slots: list[_Slot] = []
        self.first_port: int | None = None
        self.drained = True

    def read_first(self, port: int) -> None:
        """Give nothing of the other ports before this one has come to its end."""
        self.first_port = port
        self._first_slots = [slot for slot in self._slots if slot.port == port]

    def hold_until_complete(self) -> None:
        """Give nothing before every channel that spools has all of its input: a blocking exchange."""
        self._held = [slot.channel for slot in self._slots if isinstance(slot.channel, SpoolChannel)]

    @property
    def ended(self) -> bool:
        """Whether every channel has come to its end."""
        return not self._open_ports and not self._waiting

    @property
    def watermark(self) -> int:
        """The minimum over all active channels so far."""
        return self._watermark

    def next(self) -> tuple[Batch, int] | GateEvent | None:
        """The next thing to do."""
        if self._waiting:
            return self._waiting.pop(0)
        if self._held:
            if not all(spool.ended for spool in self._held):
                return None
            self._held = []
        slots = self._first_slots if self.first_port in self._open_ports else self._slots
        count = len(slots)
        start = self._next
        for offset in range(count):
            slot = slots[(start + offset) % count]
            while not slot.ended and not slot.blocked and slot.channel.has_data:
                element = slot.channel.poll()
                if type(element) is RowBatch or type(element) is ColumnBatch:
                    self._next = (start + offset + 1) % count
                    return element, slot.port
                event = self._signal(slot, element)
                if event is not None:
                    return event
        return None

    def _signal(self, slot: _Slot, element: object) -> GateEvent | None:
        match element:
            case Watermark(timestamp):
                slot.watermark = max(slot.watermark, timestamp)
                slot.lags = slot.lags and slot.watermark < self._watermark
                return self._merged()
            case StreamStatus(idle):
                return self._status(slot, idle)
            case EndOfInput(drained):
                self.drained = self.drained and drained
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
        if aligned is not None:
            self._unblock()
            if event is None:
                return aligned
            self._waiting.append(aligned)
        return event

    # Barriers -----------------------------------------------------------------------------------------------------------

    def abort(self, checkpoint_id: int) -> None:
        """The checkpoint will never be complete: read on where its barrier has stopped the reading."""
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
