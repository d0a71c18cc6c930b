"""Channels under TLS: everything arrives, nothing is readable on the way, and nobody comes in without a certificate."""

import socket
from pathlib import Path

import pytest

from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Element
from penstock.errors import OptionError, ProtocolError
from penstock.network.connection import Connection
from penstock.network.exchange import NetworkOptions
from penstock.network.handshake import Handshake, Role, shake_hands
from penstock.network.tls import TlsFiles, check_files, secured
from tests.network.test_exchange import collect
from tests.network.workers import Worker, connected, drive, in_background
from tests.services.certificates import make_certificate


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    made = make_certificate(tmp_path, "cluster")
    return TlsFiles(made.keystore, made.truststore)


def test_batches_of_every_size_arrive_both_ways(files: TlsFiles) -> None:
    with connected(2, NetworkOptions(tls=files)) as workers:
        there, back = workers[0].plane.output(5, 1), workers[1].plane.output(6, 0)
        far, near = workers[1].plane.input(5, 0), workers[0].plane.input(6, 1)
        sent: list[Element] = [RowBatch(["x" * size]) for size in (1, 16_384, 65_537, 1_000_000, 5_000_000)]
        sent.append(END_OF_INPUT)
        for element in sent:
            there.put(element)
            back.put(element)
        assert collect(workers, far, len(sent)) == sent
        assert collect(workers, near, len(sent)) == sent


def test_what_goes_over_the_wire_cannot_be_read(files: TlsFiles) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        waiting = in_background(lambda: _accept(theirs, files))
        sock = secured(ours, files, server=False)
        shake_hands(sock, Handshake(Role.CALLER, b"secret", 0), 60)
        assert waiting() is None
        connection = Connection(sock)
        connection.send(0, 1, b"a word that is secret")
        connection.on_writable()
        seen = theirs.recv(1 << 16)
        assert len(seen) > 21
        assert b"secret" not in seen


def _accept(sock: socket.socket, files: TlsFiles) -> None:
    shake_hands(secured(sock, files, server=True), Handshake(Role.LISTENER, b"secret", 1), 60)


def test_a_certificate_that_is_not_trusted_is_refused(files: TlsFiles, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    stranger = TlsFiles(other.keystore, files.truststore)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        refused = in_background(lambda: _accept(theirs, files))
        with pytest.raises(ProtocolError):
            shake_hands(secured(ours, stranger, server=False), Handshake(Role.CALLER, b"secret", 0), 60)
        error = refused()
        assert isinstance(error, ProtocolError)
        assert "certificate verify failed" in str(error)


def test_a_caller_without_tls_is_no_peer(files: TlsFiles) -> None:
    encrypted, plain = Worker(1, options=NetworkOptions(tls=files)), Worker(0)
    try:
        plain.plane.connect({1: encrypted.plane.address})
        encrypted.plane.connect({0: ("127.0.0.1", 1)})
        drive([encrypted, plain], lambda: plain.losses)
        assert "refused or was refused" in plain.losses[0].reason
    finally:
        encrypted.close()
        plain.close()


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "store.jks").write_bytes(b"\xfe\xed\xfe\xed")
    with pytest.raises(OptionError, match=r"store\.jks .*PEM"):
        check_files(TlsFiles(str(tmp_path / "store.jks"), str(tmp_path / "store.jks")))
