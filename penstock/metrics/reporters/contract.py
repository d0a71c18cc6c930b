"""What a reporter is."""

from collections.abc import Callable, Sequence
from typing import Protocol

from penstock.metrics.readings import Reading

Read = Callable[[], list[Reading]]


class Reporter(Protocol):
    """Tells something outside. :meth:`open` comes first and once, :meth:`close` last; all by one thread."""

    def open(self, read: Read) -> None:
        """Begin. ``read`` gives what this reporter may tell, now; it may be called by any thread."""

    def report(self, readings: Sequence[Reading]) -> None:
        """Tell what is measured now; called once an interval.

        :raises OutsideError: where nobody can be told; it is logged, and tried again the next time.
        """

    def close(self) -> None:
        """Tell nothing more, and let go what is held."""
