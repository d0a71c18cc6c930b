"""Sends records to a syslog server as RFC 5424 frames them; a record of several lines stays one message."""

import logging
import os
import socket
from datetime import UTC, datetime
from logging.handlers import SysLogHandler
from typing import Any

from penstock.errors import OptionError, OutsideError

_NIL = "-"


class Rfc5424Sender(SysLogHandler):
    """``tag`` is the program's name, by which servers sort. Over TCP messages are counted (RFC 6587), so that line ends in
    them end nothing; over UDP each is a datagram."""

    socket: Any  # made by the class above, which does not declare it

    def __init__(self, host: str, port: int, protocol: str, facility: str, tag: str) -> None:
        if facility not in self.facility_names:
            raise OptionError(
                f"there is no syslog facility {facility!r}; there are {', '.join(self.facility_names)}"
            )
        kinds = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
        if protocol not in (*kinds, "unix"):
            raise OptionError(f"syslog goes over udp, tcp or unix, not {protocol!r}")
        address: Any = host if protocol == "unix" else (host, port)
        try:
            super().__init__(address, self.facility_names[facility], kinds.get(protocol))
        except OSError as error:
            raise OutsideError(
                f"the syslog server at {host}:{port} ({protocol}) cannot be reached: {error}"
            ) from error
        self._counts = protocol == "tcp"
        self._tag = "".join(letter for letter in tag if letter.isprintable() and letter != " ")[:48] or _NIL
        self._host = socket.gethostname()[:255] or _NIL

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self._framed(record)
            if self._counts:
                message = b"%d %b" % (len(message), message)
            self._send(message)
        except Exception:  # noqa: BLE001  (as every handler does it)
            self.handleError(record)

    def _framed(self, record: logging.LogRecord) -> bytes:
        priority = self.encodePriority(self.facility, self.mapPriority(record.levelname))
        when = (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z")
        )
        header = (
            f"<{priority}>1 {when} {self._host} {self._tag} {record.process or os.getpid()} {_NIL} {_NIL} "
        )
        return header.encode("ascii", "replace") + self.format(record).encode()

    def _send(self, message: bytes) -> None:
        if self.unixsocket:
            try:
                self.socket.send(message)
            except OSError:
                self.socket.close()
                self._connect_unixsocket(self.address)  # type: ignore[attr-defined]
                self.socket.send(message)
        elif self.socktype == socket.SOCK_DGRAM:
            self.socket.sendto(message, self.address)
        else:
            try:
                self.socket.sendall(message)
            except OSError:  # the server was started again
                self.createSocket()
                self.socket.sendall(message)
