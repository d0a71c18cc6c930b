"""Sends metrics to StatsD, as gauges over UDP."""

import re
import socket
from collections.abc import Sequence

from penstock.errors import OutsideError
from penstock.metrics.readings import Reading, as_number
from penstock.metrics.reporters.contract import Read
from penstock.metrics.reporters.scope_names import ScopeNames
from penstock.metrics.reporters.settings import ReporterSettings

_SEPARATORS = re.compile(r"[:|@\s]")


class StatsDReporter:
    """``host`` and ``port`` are Flink's options; the port is 8125 by default."""

    def __init__(self, settings: ReporterSettings, names: ScopeNames) -> None:
        self._settings = settings
        self._names = names
        self._address = (settings.text("host"), settings.port("port", "8125"))
        self._socket: socket.socket | None = None

    def open(self, read: Read) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def report(self, readings: Sequence[Reading]) -> None:
        assert self._socket is not None
        for reading in readings:
            value = as_number(reading.value)
            if value is None:
                continue
            name = _SEPARATORS.sub("-", self._names.of(reading, self._settings.delimiter))
            # A gauge with a sign is a difference to StatsD, so one below zero is set to zero first.
            lines = [f"{name}:0|g"] if value < 0 else []
            for line in [*lines, f"{name}:{value}|g"]:
                self._send(line)

    def _send(self, line: str) -> None:
        assert self._socket is not None
        try:
            self._socket.sendto(line.encode(), self._address)
        except OSError as error:
            host, port = self._address
            raise OutsideError(f"StatsD at {host}:{port} cannot be told: {error}") from error

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
