"""Fewer runs of Python's garbage collector while a job runs.

The records of a batch are allocated together and freed together, mostly by their reference counts. With Python's usual
threshold of some hundred young objects every batch is searched for cycles several times, and the growing state again and
again: a sixth to a third of the time of a job whose records are tuples. Cycles are still found, after more allocations.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

YOUNG_OBJECTS = 50_000

_lock = Lock()
_jobs = 0
_before = (0, 0, 0)


def job_started() -> None:
    """Raise the threshold; one that is higher or switched off (0) stays as it is."""
    global _jobs, _before
    with _lock:
        if _jobs == 0:
            _before = gc.get_threshold()
            if 0 < _before[0] < YOUNG_OBJECTS:
                gc.set_threshold(YOUNG_OBJECTS, *_before[1:])
        _jobs += 1


def job_ended() -> None:
    """After the last job that runs in this process: set what was before, unless somebody else has set something since."""
    global _jobs
    with _lock:
        _jobs -= 1
        if _jobs == 0 and gc.get_threshold() == (YOUNG_OBJECTS, *_before[1:]):
            gc.set_threshold(*_before)


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for no cycles meanwhile: what is made stays, as the entries of a state that is restored.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
