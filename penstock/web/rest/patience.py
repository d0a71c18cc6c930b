"""How long a client may take to say what it wants: one that never ends keeps no connection open."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_S = 30.0
"""For the head of a request; from one part of its body to the next."""


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose client does not come to the end of a request's head."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._gives_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._be_impatient()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._be_patient()  # the request is being answered; its body has a time of its own
        elif self._gives_up is None:
            self._be_impatient()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_patient()
        super().connection_lost(exc)

    def _be_impatient(self) -> None:
        self._gives_up = self.loop.call_later(REQUEST_S, self.transport.close)

    def _be_patient(self) -> None:
        if self._gives_up is not None:
            self._gives_up.cancel()
            self._gives_up = None
