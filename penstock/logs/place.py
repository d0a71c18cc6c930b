"""Every log record says which job, operator, subtask and attempt it came from, where it came from one.

The worker's thread says whose turn it is; that is one assignment for each step of a task. A record that another thread
writes, one of a connector, say, carries the place that was set for that thread, or none.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a job a record comes from. ``subtask`` counts from 0."""

    job_id: str = ""
    operator: str = ""
    subtask: int | None = None
    attempt: int | None = None


NOWHERE = Place()
FIELDS = ("job_id", "operator", "subtask", "attempt")


class _Current(threading.local):
    place: Place = NOWHERE


current = _Current()


def install() -> None:
    """Have all records of this process carry their place, as attributes ``job_id``, ``operator``, ``subtask`` and
    ``attempt``; once more does nothing.

    >>> install()
    >>> current.place = Place("0" * 32, "count", 1, 0)
    >>> record = logging.getLogger("mine").makeRecord("mine", logging.INFO, "f.py", 1, "hello", (), None)
    >>> current.place = NOWHERE
    >>> record.operator, record.subtask
    ('count', 1)
    """
    before = logging.getLogRecordFactory()
    if isinstance(before, _Factory):
        return
    logging.setLogRecordFactory(_Factory(before))


class _Factory:
    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._before(*args, **kwargs)
        place = current.place
        for name in FIELDS:
            setattr(record, name, getattr(place, name))
        return record
