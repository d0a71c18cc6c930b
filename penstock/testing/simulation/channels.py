"""The channels between simulated workers: those of the real ones, with a way between their ends that takes its time."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from penstock.network.channel import ForgottenChannels, InputChannel, OutputChannel
from penstock.network.exchange import PeerLost
from penstock.network.framing import Encoder, Payload
from penstock.network.plane import Address
from penstock.network.remote import RemoteInput, RemoteOutput, SpooledInput
from penstock.network.spilled import SpoolChannel
from penstock.testing.simulation.actors import Actor, Scheduler
from penstock.testing.simulation.background import Delay
from penstock.testing.simulation.faults import Fault

WINDOW_BATCHES = 3
LARGEST_FRAME = 1 << 20


class SimulatedNetwork:
    """All planes of one job, by the number in their address."""

    def __init__(self, scheduler: Scheduler, delay: Delay, touch: Callable[[str], None]) -> None:
        self.scheduler = scheduler
        self.delay = delay
        self.touch = touch
        self.planes: list[SimulatedPlane] = []

    def new_plane(self, index: int, owner: Actor, on_lost: Callable[[PeerLost], None]) -> "SimulatedPlane":
        """The plane of one worker for one attempt."""
        plane = SimulatedPlane(self, len(self.planes), index, owner, on_lost)
        self.planes.append(plane)
        return plane

    def cut(self, dead: "SimulatedPlane", share_lost: float) -> None:
        """A worker is gone: the last of what it sent is lost, and the others notice sooner or later."""
        dead.is_closed = True
        for way in dead.ways:
            for _ in range(round(len(way.frames) * share_lost)):
                way.frames.pop()
        for plane in self.planes:
            if not plane.is_closed and dead.index in plane.peers and plane.peers[dead.index] == dead.number:
                at_ms = self.scheduler.clock.now_ms() + self.delay(Fault.SLOW_CHANNEL)
                self.scheduler.at(at_ms, partial(plane.lose, dead.index, dead.number))


class Way:
    """From one end to the other: what is sent arrives in order, each piece after a delay of its own."""

    def __init__(self, network: SimulatedNetwork, to: "SimulatedPlane", take: Callable[[Any], None]) -> None:
        self._network = network
        self._to = to
        self._take = take
        self.frames: deque[Any] = deque()
        self._last_ms = 0

    def send(self, piece: Any) -> None:
        """Send something."""
        now = self._network.scheduler.clock.now_ms()
        self._last_ms = max(self._last_ms, now + self._network.delay(Fault.SLOW_CHANNEL))
        self.frames.append(piece)
        self._network.scheduler.at(self._last_ms, self._arrive)

    def _arrive(self) -> None:
        if self.frames:  # not lost with its sender
            piece = self.frames.popleft()
            if not self._to.is_closed:
                self._take(piece)
                self._to.owner.is_idle = False


class SimulatedPlane:
    """All channels of one worker to the others, for one attempt."""

    def __init__(
        self,
        network: SimulatedNetwork,
        number: int,
        index: int,
        owner: Actor,
        on_lost: Callable[[PeerLost], None],
    ) -> None:
        self._network = network
        self.number = number
        self.index = index
        self.owner = owner
        self._on_lost = on_lost
        self.peers: dict[int, int] = {}
        self.ways: list[Way] = []
        self.is_closed = False
        self._outputs: dict[tuple[int, int], RemoteOutput] = {}
        self._inputs: dict[int, RemoteInput | SpooledInput] = {}
        self._early: dict[int, list[tuple[int, Payload]]] = {}
        self._early_credit: dict[tuple[int, int], int] = {}
        self._forgotten = ForgottenChannels()

    @property
    def address(self) -> Address:
        return "simulated", self.number

    def connect(self, addresses: Mapping[int, Address]) -> None:
        for index, (_, number) in addresses.items():
            if index == self.index or index in self.peers:
                continue
            self.peers[index] = number
            if self._network.planes[number].is_closed:
                at_ms = self._network.scheduler.clock.now_ms() + 1
                self._network.scheduler.at(at_ms, partial(self.lose, index, number))

    def forget(self, channels: Iterable[tuple[int, int]], peers: Iterable[int]) -> None:
        for channel, peer in channels:
            self._outputs.pop((peer, channel), None)
            self._inputs.pop(channel, None)
            self._early.pop(channel, None)
            self._early_credit.pop((peer, channel), None)
            self._forgotten.add(channel)
        for peer in peers:
            self.peers.pop(peer, None)

    def output(self, channel: int, peer: int) -> OutputChannel:
        target = self._network.planes[self.peers[peer]]
        way = self._way(target, lambda frame: target.receive(channel, *frame))

        def send(_: int, kind: int, payload: Payload) -> None:
            self._network.touch(f"send on channel {channel}")
            way.send((kind, bytes(payload)))

        made = self._outputs[peer, channel] = RemoteOutput(channel, send, Encoder(), LARGEST_FRAME)
        made.credit.grant(self._early_credit.pop((peer, channel), 0))
        return made

    def input(self, channel: int, peer: int, spool: SpoolChannel | None = None) -> InputChannel:
        sender = self._network.planes[self.peers[peer]]
        way = self._way(sender, lambda batches: sender.credited(self.index, channel, batches))

        def grant(batches: int) -> None:
            self._network.touch(f"take from channel {channel}")
            way.send(batches)

        if spool is None:
            made: RemoteInput | SpooledInput = RemoteInput(grant, WINDOW_BATCHES)
        else:
            made = SpooledInput(grant, WINDOW_BATCHES, spool)
        self._inputs[channel] = made
        made.open()
        for frame in self._early.pop(channel, []):
            made.receive(*frame)
        return made if isinstance(made, RemoteInput) else spool  # type: ignore[return-value]

    def _way(self, to: "SimulatedPlane", take: Callable[[Any], None]) -> Way:
        way = Way(self._network, to, take)
        self.ways.append(way)
        return way

    def receive(self, channel: int, kind: int, payload: Payload) -> None:
        """A frame has arrived, perhaps before its channel was made."""
        known = self._inputs.get(channel)
        if channel in self._forgotten:
            return
        if known is None:
            self._early.setdefault(channel, []).append((kind, payload))
        else:
            known.receive(kind, payload)

    def credited(self, peer: int, channel: int, batches: int) -> None:
        """Credit has arrived, perhaps before the channel was made."""
        known = self._outputs.get((peer, channel))
        if channel in self._forgotten:
            return
        if known is None:
            self._early_credit[peer, channel] = self._early_credit.get((peer, channel), 0) + batches
        else:
            known.credit.grant(batches)

    def lose(self, peer: int, number: int) -> None:
        """A worker is found to be gone; of no matter when another has come in its place."""
        if self.is_closed or self.peers.get(peer) != number:
            return
        for (index, _), output in self._outputs.items():
            if index == peer:
                output.lost = True
        self._on_lost(PeerLost(peer, "simulated: the connection was reset"))
        self.owner.is_idle = False

    def flush(self) -> None:
        """Everything is on its way already."""

    def timeout_s(self) -> float | None:
        return None

    def close(self, timeout_s: float = 5.0) -> None:
        self.is_closed = True
