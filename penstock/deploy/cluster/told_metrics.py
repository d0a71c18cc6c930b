"""What the workers of a TaskManager measure: they tell it themselves, over sockets that they were born with."""

import selectors
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from penstock.deploy.local.control_link import ControlLink
from penstock.metrics.readings import Reading


@dataclass(slots=True, eq=False)
class _Told:
    link: ControlLink | None = None
    readings: list[Reading] = field(default_factory=list)


class ToldMetrics:
    """By the numbers of workers. The thread that owns ``selector`` calls the methods; :meth:`readings` any."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._told: dict[int, _Told] = {}

    def expect(self, number: int) -> socket.socket:
        """A worker is about to be born: its end of the socket, which is closed here once it has it."""
        own, its = socket.socketpair()
        told = self._told[number] = _Told()
        told.link = ControlLink(own, self._selector, partial(_take, told), lambda _: None)
        return its

    def forget(self, number: int) -> None:
        """A worker has ended, or was not born."""
        told = self._told.pop(number, None)
        if told is not None and told.link is not None:
            told.link.close()

    def readings(self) -> list[Reading]:
        """What all of them told last."""
        return [reading for told in list(self._told.values()) for reading in told.readings]


def _take(told: _Told, message: Any) -> None:
    if isinstance(message, list):
        told.readings = message
