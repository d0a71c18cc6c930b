"""Timers of keyed operators, in memory.

Many keys ask for the same moments (the ends of windows, whole minutes), so timers are kept as timestamp -> namespace -> keys,
with a heap of the distinct timestamps: registering and deleting are dictionary accesses, whatever the number of timers.
"""

import heapq
from collections.abc import Iterable, Iterator
from itertools import repeat
from operator import index
from typing import Any

from penstock.contracts.state import EntryChunk, StateEntries, StateKind, StateMeta, StoredEntries
from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.keys import KeyRouter, key_group_range
from penstock.errors import StateError, TypeMismatch

Timer = tuple[int, Any, Any]
"""Timestamp, key, namespace."""

Bucket = dict[Any, dict[Any, None]]

EVENT, PROCESSING = "event", "processing"

_SPARE_STALE = 64


class TimerQueue:
    """Timers of one time domain: each (timestamp, key, namespace) once, the earliest first.

    Timers of one timestamp come in the order of their namespaces' and then their own registration.

    >>> queue = TimerQueue()
    >>> queue.register("a", None, 20); queue.register("b", None, 10); queue.register("a", None, 20)
    >>> list(queue.pop_until(20))
    [(10, 'b', None), (20, 'a', None)]
    """

    __slots__ = ("_buckets", "_heap")

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}
        self._heap: list[int] = []  # every timestamp that has a bucket, and some that no longer have one

    def register(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Add a timer, unless it is there."""
        if timestamp.__class__ is not int:
            timestamp = _whole(timestamp)
        bucket = self._buckets.get(timestamp)
        if bucket is None:
            _whole(timestamp)
            self._buckets[timestamp] = {namespace: {key: None}}
            heapq.heappush(self._heap, timestamp)
            return
        keys = bucket.get(namespace)
        if keys is None:
            bucket[namespace] = {key: None}
        else:
            keys[key] = None

    def register_all(self, keys: Iterable[Any], namespace: Any, timestamp: int) -> None:
        """Add a timer for each key."""
        new = dict.fromkeys(keys)
        if not new:
            return
        bucket = self._buckets.get(timestamp)
        if bucket is None:
            self._buckets[timestamp] = {namespace: new}
            heapq.heappush(self._heap, timestamp)
        elif namespace in bucket:
            bucket[namespace].update(new)
        else:
            bucket[namespace] = new

    def delete(self, key: Any, namespace: Any, timestamp: int) -> bool:
        """Remove a timer; False when there is none."""
        bucket = self._buckets.get(timestamp)
        keys = None if bucket is None else bucket.get(namespace)
        if bucket is None or keys is None or key not in keys:
            return False
        del keys[key]
        if not keys:
            del bucket[namespace]
            if not bucket:
                del self._buckets[timestamp]
                if len(self._heap) > 2 * len(self._buckets) + _SPARE_STALE:
                    self._heap[:] = self._buckets
                    heapq.heapify(self._heap)
        return True

    def first_timestamp(self) -> int | None:
        """When the next timer is due."""
        heap = self._heap
        while heap and heap[0] not in self._buckets:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def pop_until(self, limit: int) -> Iterator[Timer]:
        """Remove and yield the timers up to and at ``limit``, one by one.

        Between two of them timers may be registered, deleted and saved: one registered at or before ``limit`` comes in the
        same call, and always the earliest first. Those not yet yielded are still there when the caller stops.
        """
        started: dict[
            int, list[tuple[Any, Any]]
        ] = {}  # the rest of timestamps that earlier timers interrupted, last first
        while (timestamp := self.first_timestamp()) is not None and timestamp <= limit:
            rest = started.pop(timestamp, None)
            if not rest:
                rest = [
                    (namespace, key) for namespace, keys in self._buckets[timestamp].items() for key in keys
                ]
                rest.reverse()
            heap = self._heap
            while rest:
                namespace, key = rest.pop()
                if not self.delete(key, namespace, timestamp):
                    continue
                yield timestamp, key, namespace
                if heap and heap[0] < timestamp:
                    started[timestamp] = rest
                    break

    def clear_key(self, key: Any) -> None:
        """Forget all timers of a key; looks at every timestamp."""
        for timestamp, bucket in list(self._buckets.items()):
            for namespace in list(bucket):
                self.delete(key, namespace, timestamp)

    def __iter__(self) -> Iterator[Timer]:
        """All timers, in no particular order of time."""
        for timestamp, bucket in self._buckets.items():
            for namespace, keys in bucket.items():
                for key in keys:
                    yield timestamp, key, namespace

    def __len__(self) -> int:
        return sum(len(keys) for bucket in self._buckets.values() for keys in bucket.values())


class KeyedTimers:
    """One named set of timers of one operator in one subtask; see :class:`~penstock.contracts.timers.Timers`.

    >>> timers = KeyedTimers("user-timers", 128)
    >>> timers.register_event_time_timer("a", None, 10)
    >>> list(timers.advance_watermark(9)), list(timers.advance_watermark(10))
    ([], [(10, 'a', None)])
    """

    __slots__ = (
        "_key_groups",
        "_max_parallelism",
        "_name",
        "current_watermark",
        "event_time",
        "processing_time",
    )

    def __init__(self, name: str, max_parallelism: int, key_groups: range | None = None) -> None:
        self._name = name
        self._max_parallelism = max_parallelism
        self._key_groups = key_group_range(max_parallelism, 1, 0) if key_groups is None else key_groups
        self.event_time = TimerQueue()
        self.processing_time = TimerQueue()
        self.current_watermark = MIN_TIMESTAMP

    def register_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Fire when the watermark reaches ``timestamp``; at its next advance, when it is there already."""
        self.event_time.register(key, namespace, timestamp)

    def delete_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Forget the timer, if there is one."""
        self.event_time.delete(key, namespace, timestamp)

    def register_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Fire when the clock reaches ``timestamp``."""
        self.processing_time.register(key, namespace, timestamp)

    def delete_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Forget the timer, if there is one."""
        self.processing_time.delete(key, namespace, timestamp)

    def advance_watermark(self, watermark: int) -> Iterator[Timer]:
        """Yield and forget the event-time timers up to ``watermark``, as :meth:`TimerQueue.pop_until` does."""
        self.current_watermark = watermark
        return self.event_time.pop_until(watermark)

    def advance_processing_time(self, now_ms: int) -> Iterator[Timer]:
        """Yield and forget the processing-time timers up to ``now_ms``."""
        return self.processing_time.pop_until(now_ms)

    def next_processing_time(self) -> int | None:
        """When the next processing-time timer is due."""
        return self.processing_time.first_timestamp()

    def clear_key(self, key: Any) -> None:
        """Forget all timers of a key."""
        self.event_time.clear_key(key)
        self.processing_time.clear_key(key)

    def snapshot(self) -> StateEntries:
        """All timers, frozen."""
        groups = KeyRouter(self._max_parallelism, self._max_parallelism)
        chunks = []
        for domain, queue in ((EVENT, self.event_time), (PROCESSING, self.processing_time)):
            timers = list(queue)
            keys = [key for _, key, _ in timers]
            key_groups = groups.route(keys)
            self._check_groups(keys, key_groups)
            values = [(domain, timestamp) for timestamp, _, _ in timers]
            namespaces = [namespace for _, _, namespace in timers]
            chunks.append(
                EntryChunk(key_groups, keys, values, None if set(namespaces) <= {None} else namespaces)
            )
        entries = StoredEntries(StateMeta(self._name, StateKind.TIMERS), chunks)
        unpack, arguments = entries.__reduce__()
        copied: StateEntries = unpack(*arguments)
        return copied

    def restore(self, snapshots: list[StateEntries], key_groups: range) -> None:
        """Take the timers of ``key_groups`` out of snapshots of any parallelism."""
        self._key_groups = key_groups
        for snapshot in snapshots:
            for chunk in snapshot.chunks(key_groups):
                namespaces = repeat(None) if chunk.namespaces is None else chunk.namespaces
                for key, namespace, (domain, timestamp) in zip(
                    chunk.keys, namespaces, chunk.values, strict=False
                ):
                    queue = self.event_time if domain == EVENT else self.processing_time
                    queue.register(key, namespace, timestamp)

    def _check_groups(self, keys: list[Any], key_groups: list[int]) -> None:
        for key, group in zip(keys, key_groups, strict=True):
            if group not in self._key_groups:
                raise StateError(
                    f"timers {self._name!r} hold key {key!r:.80} of key group {group}, but this subtask owns "
                    f"{self._key_groups}"
                )


def _whole(timestamp: Any) -> int:
    try:
        time = index(timestamp)
    except TypeError as error:
        raise TypeMismatch(
            f"a timer was registered for {timestamp!r}, a {type(timestamp).__name__}: "
            "give whole milliseconds since the epoch"
        ) from error
    if not MIN_TIMESTAMP <= time < -MIN_TIMESTAMP:
        raise TypeMismatch(
            f"a timer was registered for {time}, which no clock and no watermark reaches: "
            "give whole milliseconds since the epoch, from -2**63 to 2**63 - 1"
        )
    return time
