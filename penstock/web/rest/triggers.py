"""Operations that take their time: they answer with an id at once, under which the outcome is found later."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from penstock.chance import secret_token
from penstock.clock import monotonic
from penstock.deploy.cluster.dispatched_job import JobNotFound

MOST_KEPT = 500
KEPT_S = 300.0


class TriggerNotFound(JobNotFound):
    """No operation of this id is known."""


@dataclass(slots=True, eq=False)
class _Begun:
    future: "Future[Any]"
    ended_at: float | None = None


class Triggers:
    """The operations of one kind. What became of one is kept for ``kept_s`` after its end."""

    def __init__(self, kept_s: float = KEPT_S, now: Callable[[], float] = monotonic) -> None:
        self._kept_s = kept_s
        self._now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], _Begun] = OrderedDict()

    def begin(self, start: "Callable[[], Future[Any]]", of: str = "", wanted: str | None = None) -> str:
        """Begin an operation of the job ``of``; its id, 32 hexadecimal digits, is ``wanted`` if the client chose one. What
        has begun under this id is not begun again: a client that has missed the answer may ask a second time."""
        trigger = (wanted or secret_token(16).hex()).lower()
        with self._lock:
            self._forget_old()
            if (of, trigger) not in self._known:
                self._known[of, trigger] = _begun(start(), self._now)
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return trigger

    def status(self, trigger: str, success: str = "location", of: str = "") -> dict[str, Any]:
        """How an operation stands; ``success`` is the field of its result.

        :raises TriggerNotFound: where the job ``of`` has none of this id.
        """
        with self._lock:
            self._forget_old()
            begun = self._known.get((of, trigger.lower()))
        if begun is None:
            raise TriggerNotFound(f"there is no operation {trigger}")
        future = begun.future
        if not future.done():
            return {"status": {"id": "IN_PROGRESS"}, "operation": None}
        error = future.exception()
        if error is not None:
            cause = {"class": type(error).__name__, "stack-trace": str(error), "serialized-throwable": ""}
            name = "failureCause" if success == "checkpointId" else "failure-cause"  # as Flink has them
            return {"status": {"id": "COMPLETED"}, "operation": {name: cause}}
        result = future.result()
        return {"status": {"id": "COMPLETED"}, "operation": {success: result} if result is not None else {}}

    def _forget_old(self) -> None:
        before = self._now() - self._kept_s
        old = [
            key for key, each in self._known.items() if each.ended_at is not None and each.ended_at < before
        ]
        for key in old:
            del self._known[key]


def _begun(future: "Future[Any]", now: Callable[[], float]) -> _Begun:
    made = _Begun(future)

    def ended(_: "Future[Any]") -> None:
        made.ended_at = now()

    future.add_done_callback(ended)
    return made
