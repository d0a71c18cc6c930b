"""What a task sees of the channels it reads and writes: two protocols, and the rules that both sides keep.

A channel carries the elements of one sender to one receiver. The rules, whatever it is made of:

Order. Elements come out in the order in which they were put; nothing overtakes anything, a barrier neither.

Bound. Batches count against the channel's bound, signals (watermark, status, barrier, end of input) do not: a signal may
be put at any time. ``put`` never blocks and never refuses: the sender looks at ``available`` before each step and does not
step while one of its channels is at its bound, so a channel overshoots by at most the output of one step.

Back. ``available`` is true again as soon as the receiver has polled a batch (in one process) or as soon as the credit for it
came back (between processes).

Waking. Nobody calls anybody. A worker's loop steps its tasks in turn and asks ``has_data`` and ``available`` before each
step; inside one process what a step changed is therefore seen in the same round, and the loop goes to sleep only after a
round in which nothing moved. Between processes both data and returned credit arrive on a socket that is registered in the
loop's selector, which ends the sleep.

End. ``EndOfInput`` is the last element. After it, and after the peer was lost, ``poll`` yields None for ever.
"""

from typing import Protocol

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import Barrier, Element

BATCH_TYPES = (RowBatch, ColumnBatch)
_LINK_BITS = 32


def channel_number(link: int, attempt: int) -> int:
    """The number of the channel that an attempt has for a link.

    >>> number = channel_number(7, 2)
    >>> link_of(number), attempt_of(number)
    (7, 2)
    """
    return attempt << _LINK_BITS | link


def link_of(channel: int) -> int:
    """The link that a channel belongs to."""
    return channel & (1 << _LINK_BITS) - 1


def attempt_of(channel: int) -> int:
    """The attempt that a channel belongs to."""
    return channel >> _LINK_BITS


class ForgottenChannels:
    """Tells what is still on its way for channels that are not used any more from what comes early for new ones.

    >>> forgotten = ForgottenChannels()
    >>> forgotten.add(channel_number(7, 2))
    >>> [channel_number(7, attempt) in forgotten for attempt in (1, 2, 3)]
    [True, True, False]
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def add(self, channel: int) -> None:
        """Neither this channel is used any more nor one of its link in an earlier attempt."""
        self._last[link_of(channel)] = max(attempt_of(channel), self._last.get(link_of(channel), 0))

    def __contains__(self, channel: int) -> bool:
        return attempt_of(channel) <= self._last.get(link_of(channel), -1)


class OutputChannel(Protocol):
    """The sender's side."""

    @property
    def available(self) -> bool:
        """Whether the channel is below its bound; false asks the sender not to step."""

    @property
    def sent_bytes(self) -> int:
        """What the batches took that left the process; 0 where none does."""

    def put(self, element: Element) -> None:
        """Append an element; never blocks. Raises ``ProtocolError`` after :meth:`close`."""

    def close(self) -> None:
        """Put nothing any more. What was put before still arrives; without ``EndOfInput`` the receiver waits on."""


class InputChannel(Protocol):
    """The receiver's side."""

    @property
    def has_data(self) -> bool:
        """Whether :meth:`poll` would yield an element."""

    @property
    def received_bytes(self) -> int:
        """What the batches took that have come from another process, as far as they were taken in; 0 where none does."""

    def poll(self) -> Element | None:
        """The next element, or None when there is none at the moment."""

    @property
    def barriers(self) -> int:
        """How many barriers wait in it."""

    @property
    def has_end(self) -> bool:
        """Whether ``EndOfInput`` has come in, read or not."""

    def waiting_barriers(self) -> list[Barrier]:
        """The barriers that wait in it, in order; costs nothing but for themselves."""

    def queued(self) -> list[Element]:
        """Everything that waits in it, in order; it stays there. Costs as much as to read it."""
