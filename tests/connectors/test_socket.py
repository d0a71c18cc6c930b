"""Lines from a real server on this machine."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connectors.socket.source import RETRY_DELAY_MS, SocketTextSource, _Records
from penstock.contracts.source import InputStatus
from penstock.errors import OutsideError, ProgramError
from tests.connectors.driving import RunningSource, running


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        yield listening


def source_of(server: socket.socket, **options: Any) -> SocketTextSource:
    return SocketTextSource("127.0.0.1", server.getsockname()[1], **options)


def accept(server: socket.socket, run: RunningSource) -> socket.socket:
    """Have the reader begin to connect, and take the connection."""
    run.step(0)
    return server.accept()[0]


def test_lines_come_as_they_are_sent_and_the_rest_at_the_end(server: socket.socket) -> None:
    with running(source_of(server)) as run, accept(server, run) as peer:
        peer.sendall(b"one\r\ntwo\n\nthr")
        run.run_until(lambda: len(run.records) == 3)
        assert run.records == ["one", "two", ""]
        assert run.step(0) is InputStatus.NOTHING_AVAILABLE
        assert run.readers[0].fileno() is not None
        peer.sendall("ee\nfour ä".encode())
        peer.close()
        assert run.run() == ["one", "two", "", "three", "four ä"]


@given(st.text("ab|€\n\r", max_size=40), st.sampled_from(["\n", "|", "||", "a|b"]), st.data())
def test_records_do_not_depend_on_the_pieces_they_arrive_in(
    text: str, delimiter: str, data: st.DataObject
) -> None:
    encoded = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(encoded)), max_size=8)))
    records = _Records(delimiter)
    pieces = [encoded[a:b] for a, b in zip([0, *cuts], [*cuts, len(encoded)], strict=True)]
    found = [record for piece in pieces for record in records.add(piece)] + records.rest()
    expected = text.split(delimiter)
    last = expected.pop()
    if delimiter == "\n":
        expected = [record.removesuffix("\r") for record in expected]
    assert found == expected + ([last] if last else [])


def test_bytes_that_are_not_text_are_replaced(server: socket.socket) -> None:
    with running(source_of(server)) as run, accept(server, run) as peer:
        peer.sendall(b"a\xff\xfeb\n\xc3")
        peer.close()
        assert run.run() == ["a\ufffd\ufffdb", "\ufffd"]


def test_a_lost_connection_is_made_again_until_the_retries_are_used_up(server: socket.socket) -> None:
    with running(source_of(server, max_retries=2)) as run:
        for sent in (b"a\nb", b"c\nd", b"e\n"):
            with accept(server, run) as peer:
                peer.sendall(sent)
                wanted = len(run.records) + 1
                run.run_until(lambda wanted=wanted: len(run.records) == wanted)
            if sent != b"e\n":
                run.run_until(lambda: run.readers[0].wait_ms() is not None)
                assert run.readers[0].wait_ms() == RETRY_DELAY_MS
                assert run.step(0) is InputStatus.NOTHING_AVAILABLE
                run.clock.advance(RETRY_DELAY_MS)
        assert run.run() == ["a", "bc", "de"]


def test_a_refused_connection_is_an_error_that_names_the_server(server: socket.socket) -> None:
    source = source_of(server)
    server.close()
    with (
        running(source) as run,
        pytest.raises(OutsideError, match=r"cannot connect to 127.0.0.1:\d+: .*refused"),
    ):
        run.run()


def test_a_refused_connection_is_tried_again(server: socket.socket) -> None:
    port = server.getsockname()[1]
    source = source_of(server, max_retries=1)
    server.close()
    with running(source) as run:
        run.run_until(lambda: run.readers[0].wait_ms() is not None)
        with socket.create_server(("127.0.0.1", port)) as again:
            again.settimeout(20)
            run.clock.advance(RETRY_DELAY_MS)
            with accept(again, run) as peer:
                peer.sendall(b"there\n")
            assert run.run() == ["there"]


def test_a_connection_that_is_reset_is_not_a_normal_end(server: socket.socket) -> None:
    with running(source_of(server)) as run, accept(server, run) as peer:
        peer.sendall(b"a\n")
        run.run_until(lambda: run.records == ["a"])
        # Closing without lingering sends a reset.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        peer.close()
        with pytest.raises(OutsideError, match="broke: "):
            run.run()


def test_a_name_that_cannot_be_looked_up_is_an_error() -> None:
    with (
        running(SocketTextSource("a..b", 1)) as run,
        pytest.raises(OutsideError, match=r"cannot connect to a..b:1"),
    ):
        run.run()


def test_only_one_subtask_reads_and_closing_closes_the_connection(server: socket.socket) -> None:
    with running(source_of(server), parallelism=2) as run:
        assert run.step(1) is InputStatus.END_OF_INPUT
        peer = accept(server, run)
        peer.sendall(b"x\n")
        run.run_until(lambda: run.records == ["x"])
    with peer:
        peer.settimeout(20)
        assert peer.recv(1) == b""


def test_a_restored_source_connects_again(server: socket.socket) -> None:
    with running(source_of(server)) as run:
        checkpoint = run.snapshot()
    with running(source_of(server), 1, checkpoint) as run, accept(server, run) as peer:
        peer.sendall(b"x\n")
        peer.close()
        assert run.run() == ["x"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 1), "a host"),
        ((None, 1), "a host"),
        (("h", 0), "a port"),
        (("h", 70000), "a port"),
        (("h", "80"), "a port"),
        (("h", 80, ""), "a delimiter"),
        (("h", 80, "\n", None), "max_retries"),
    ],
)
def test_wrong_arguments_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        SocketTextSource(*arguments)
