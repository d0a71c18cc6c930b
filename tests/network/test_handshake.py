"""Only who knows the secret of the job gets past the handshake."""

import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import ProtocolError
from penstock.network.handshake import Handshake, Role, shake_hands
from tests.network.workers import in_background

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_two_peers_with_the_same_secret_learn_each_others_index(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    caller, listener = Handshake(Role.CALLER, SECRET, 3), Handshake(Role.LISTENER, SECRET, 8)
    wait = in_background(lambda: shake_hands(sockets[0], caller, 5))
    shake_hands(sockets[1], listener, 5)
    assert wait() is None
    assert (caller.peer_index, listener.peer_index) == (8, 3)
    assert sockets[1].gettimeout() is None


def test_nothing_after_the_handshake_is_read(sockets: tuple[socket.socket, socket.socket]) -> None:
    caller, listener = Handshake(Role.CALLER, SECRET, 3), Handshake(Role.LISTENER, SECRET, 8)

    def call() -> None:
        shake_hands(sockets[0], caller, 5)
        sockets[0].sendall(b"first frame")

    wait = in_background(call)
    shake_hands(sockets[1], listener, 5)
    assert wait() is None
    assert sockets[1].recv(100) == b"first frame"


def test_a_wrong_secret_is_refused_by_both(sockets: tuple[socket.socket, socket.socket]) -> None:
    wait = in_background(lambda: shake_hands(sockets[0], Handshake(Role.CALLER, b"guess", 0), 5))
    with pytest.raises(ProtocolError, match="secret"):
        shake_hands(sockets[1], Handshake(Role.LISTENER, SECRET, 1), 5)
    assert isinstance(wait(), ProtocolError)


def test_a_client_that_says_nothing_is_given_up(sockets: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(ProtocolError, match=r"within 0\.05 s"):
        shake_hands(sockets[1], Handshake(Role.LISTENER, SECRET, 1), 0.05)


def test_a_client_that_goes_away_is_noticed(sockets: tuple[socket.socket, socket.socket]) -> None:
    sockets[0].close()
    with pytest.raises(ProtocolError, match=r"closed|broke"):
        shake_hands(sockets[1], Handshake(Role.LISTENER, SECRET, 1), 5)


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 500, b"\x16\x03\x01", b"PENSTOCX"])
def test_garbage_is_refused_at_its_first_bytes(
    greeting: bytes, sockets: tuple[socket.socket, socket.socket]
) -> None:
    sockets[0].sendall(greeting)
    with pytest.raises(ProtocolError, match="does not speak"):
        shake_hands(sockets[1], Handshake(Role.LISTENER, SECRET, 1), 5)


def test_another_version_is_refused_and_named() -> None:
    hello = bytearray(Handshake(Role.CALLER, SECRET, 0).opening)
    hello[8:10] = (99).to_bytes(2, "big")
    with pytest.raises(ProtocolError, match="version 99"):
        Handshake(Role.LISTENER, SECRET, 1).feed(bytes(hello))


def test_what_this_side_said_is_no_answer() -> None:
    """An attacker without the secret may send back what he was sent."""
    listener = Handshake(Role.LISTENER, SECRET, 1)
    with pytest.raises(ProtocolError, match="role"):
        listener.feed(listener.opening)


def test_the_proof_of_one_side_is_not_the_proof_of_the_other() -> None:
    caller, listener = Handshake(Role.CALLER, SECRET, 0), Handshake(Role.LISTENER, SECRET, 1)
    caller.feed(listener.opening)
    proof = listener.feed(caller.opening)
    with pytest.raises(ProtocolError, match="secret"):
        listener.feed(proof)


def test_a_recorded_proof_does_not_open_another_connection() -> None:
    caller, listener = Handshake(Role.CALLER, SECRET, 0), Handshake(Role.LISTENER, SECRET, 1)
    proof = caller.feed(listener.opening)
    listener.feed(caller.opening)
    listener.feed(proof)
    assert listener.done
    again = Handshake(Role.LISTENER, SECRET, 1)
    again.feed(caller.opening)
    with pytest.raises(ProtocolError, match="secret"):
        again.feed(proof)


@given(st.lists(st.integers(0, 47), max_size=8))
def test_the_hello_may_arrive_in_any_pieces(cuts: list[int]) -> None:
    caller, listener = Handshake(Role.CALLER, SECRET, 5), Handshake(Role.LISTENER, SECRET, 1)
    hello = caller.opening
    answer = b""
    for start, stop in pairwise([0, *sorted(cuts), len(hello)]):
        answer += listener.feed(hello[start:stop])
    assert listener.peer_index == 5
    assert len(answer) == 32
