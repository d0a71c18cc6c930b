"""Operations that take their time: they answer with an id at once, under which the outcome is found later."""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import Any

from penstock.chance import secret_token
from penstock.deploy.cluster.dispatched_job import JobNotFound

MOST_KEPT = 500


class TriggerNotFound(JobNotFound):
    """No operation of this id is known."""


class Triggers:
    """The operations of one kind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Future[Any]] = OrderedDict()

    def add(self, future: "Future[Any]", wanted: str | None = None) -> str:
        """Keep an operation; its id, 32 hexadecimal digits, is ``wanted`` if the client chose one."""
        trigger = wanted or secret_token(16).hex()
        with self._lock:
            self._known[trigger] = future
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return trigger

    def status(self, trigger: str, success: str = "location") -> dict[str, Any]:
        """How an operation stands; ``success`` is the field of its result.

        :raises TriggerNotFound: where there is none of this id.
        """
        with self._lock:
            future = self._known.get(trigger)
        if future is None:
            raise TriggerNotFound(f"there is no operation {trigger}")
        if not future.done():
            return {"status": {"id": "IN_PROGRESS"}, "operation": None}
        error = future.exception()
        if error is not None:
            cause = {"class": type(error).__name__, "stack-trace": str(error), "serialized-throwable": ""}
            name = "failureCause" if success == "checkpointId" else "failure-cause"  # as Flink has them
            return {"status": {"id": "COMPLETED"}, "operation": {name: cause}}
        result = future.result()
        return {"status": {"id": "COMPLETED"}, "operation": {success: result} if result is not None else {}}
