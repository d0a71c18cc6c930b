"""Frames over a real socket, in pieces of any size."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProtocolError
from penstock.network.connection import Connection, Frame
from penstock.network.framing import HEADER


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def transfer(sender: Connection, receiver: Connection, count: int) -> list[Frame]:
    """Let both work in turn until ``count`` frames have arrived."""
    frames: list[Frame] = []
    while len(frames) < count:
        sender.on_writable()
        frames += receiver.on_readable()
        assert receiver.lost is None
    return frames


def test_small_and_huge_frames_arrive_in_order(sockets: tuple[socket.socket, socket.socket]) -> None:
    sender, receiver = map(Connection, sockets)
    payloads = [b"", b"a", b"b" * 20_000, bytes(5_000_000), b"c" * 262_144, b"d" * 262_135, b"e"]
    for channel, payload in enumerate(payloads):
        sender.send(channel, 1, payload)
    assert sender.pending_bytes > 5_000_000
    frames = transfer(sender, receiver, len(payloads))
    assert [(channel, kind, bytes(payload)) for channel, kind, payload in frames] == [
        (channel, 1, payload) for channel, payload in enumerate(payloads)
    ]
    assert not sender.wants_write
    assert sender.pending_bytes == 0
    assert (
        sender.bytes_sent == receiver.bytes_received == sum(map(len, payloads)) + HEADER.size * len(payloads)
    )


@given(
    st.lists(st.sampled_from([0, 1, 10, 5_000, 17_000, 263_000, 300_000]), min_size=1, max_size=6),
    st.lists(st.integers(1, 300_000), max_size=4),
)
def test_frames_are_found_wherever_the_stream_is_cut(sizes: list[int], cuts: list[int]) -> None:
    left, right = socket.socketpair()
    with left, right:
        receiver = Connection(right)
        left.setblocking(False)
        stream = b"".join(HEADER.pack(i, 1, size) + bytes([i]) * size for i, size in enumerate(sizes))
        frames: list[Frame] = []
        cuts = [*cuts, 100_000]  # not all of them tiny, for the sake of time
        position = turn = 0
        while position < len(stream):
            piece = stream[position : position + cuts[turn % len(cuts)]]
            turn += 1
            with contextlib.suppress(BlockingIOError):
                position += left.send(piece)
            frames += receiver.on_readable()
        frames += receiver.on_readable()
        assert [(channel, len(payload)) for channel, _, payload in frames] == list(enumerate(sizes))
        assert all(set(payload) <= {channel} for channel, _, payload in frames)


def test_a_frame_over_the_limit_is_refused_by_the_sender(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(ProtocolError, match="101 bytes is over the limit of 100 bytes"):
        Connection(sockets[0], max_frame_bytes=100).send(1, 1, bytes(101))


def test_a_frame_over_the_limit_is_refused_by_the_receiver_before_memory_is_taken(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    sockets[0].sendall(HEADER.pack(1, 1, 4_000_000_000))
    with pytest.raises(ProtocolError, match="4000000000 bytes"):
        Connection(sockets[1]).on_readable()


def test_what_the_peer_sent_before_it_closed_is_still_read(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = map(Connection, sockets)
    sender.send(1, 1, b"last words")
    sender.on_writable()
    sender.close()
    receiver.send(1, 1, b"to nobody")
    receiver.on_writable()
    frames = receiver.on_readable() or receiver.on_readable()
    assert frames == [(1, 1, b"last words")]
    receiver.on_readable()
    assert receiver.lost is not None
    receiver.send(1, 1, b"still nobody")
    assert not receiver.wants_write


def test_a_receiver_that_does_not_read_blocks_nobody(sockets: tuple[socket.socket, socket.socket]) -> None:
    sender = Connection(sockets[0])
    sender.send(1, 1, bytes(50_000_000))
    sender.on_writable()
    assert sender.wants_write
    assert sender.pending_bytes > 40_000_000
