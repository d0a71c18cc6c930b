"""What a worker sees of its way to the others, whatever it is made of: sockets, or a simulation of them."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from penstock.network.channel import InputChannel, OutputChannel
from penstock.network.spilled import SpoolChannel

Address = tuple[str, int]


class ChannelPlane(Protocol):
    """All channels of one worker to the others."""

    @property
    def address(self) -> Address:
        """Where the others find this worker."""

    def connect(self, addresses: Mapping[int, Address]) -> None:
        """Begin to connect to the workers at ``addresses`` (by index); those that are known already are passed over."""

    def output(self, channel: int, peer: int) -> OutputChannel:
        """The sending end of a channel to a subtask on ``peer``."""

    def input(self, channel: int, peer: int, spool: SpoolChannel | None = None) -> InputChannel:
        """The receiving end of a channel from a subtask on ``peer``; with ``spool`` everything that arrives goes there."""

    def forget(self, channels: Iterable[tuple[int, int]], peers: Iterable[int]) -> None:
        """Neither these channels (number and peer) are used any more, whatever of them still comes, nor these workers."""

    def flush(self) -> None:
        """Send what the tasks put, and the credit they gave back; called after each round of steps."""

    def timeout_s(self) -> float | None:
        """How long the loop may sleep before :meth:`flush` is to be called all the same; None for ever."""

    def close(self, timeout_s: float = 5.0) -> None:
        """Say goodbye, for at most ``timeout_s``."""
