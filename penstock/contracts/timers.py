"""Timers of keyed operators, as operators see them."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from penstock.contracts.state_snapshots import StateEntries


class Timers(Protocol):
    """One named set of timers; a timer is (key, namespace, timestamp) and exists once."""

    def register_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Fire when the watermark reaches ``timestamp``."""

    def delete_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Forget the timer, if there is one."""

    def register_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Fire when the clock reaches ``timestamp``."""

    def delete_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Forget the timer, if there is one."""

    def advance_watermark(self, watermark: int) -> Iterator[tuple[int, Any, Any]]:
        """Yield and forget each timer due, as (timestamp, key, namespace); those registered meanwhile fire too."""

    def advance_processing_time(self, now_ms: int) -> Iterator[tuple[int, Any, Any]]:
        """The same for processing time."""

    def next_processing_time(self) -> int | None:
        """When the next processing-time timer is due."""

    def snapshot(self) -> StateEntries:
        """All timers, frozen. To be called right after the keyed state of the operator was saved."""

    def restore(self, snapshots: list[StateEntries], key_groups: range) -> None:
        """Take the timers of ``key_groups`` out of snapshots of any parallelism."""


TimersFactory = Callable[[str], Timers]
