"""Timers of keyed operators, in memory.

Many keys ask for the same moments (the ends of windows, whole minutes), so timers are kept as timestamp -> namespace -> keys,
with a heap of the distinct timestamps: registering and deleting are dictionary accesses, whatever the number of timers.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from operator import index
from typing import Any

from penstock.contracts.state import (
    ENTRIES_PER_CHUNK,
    EntryChunk,
    StateEntries,
    StateKind,
    StateMeta,
    StoredEntries,
)
from penstock.data.elements import MIN_TIMESTAMP
from penstock.data.key_columns import key_groups_of
from penstock.data.keys import key_group_range
from penstock.errors import StateError, TypeMismatch
from penstock.state.layered_keys import Keys, LayeredKeys
from penstock.state.layers import SETTLED_AT_ONCE, Freeze, LayeredPane, Pin

Timer = tuple[int, Any, Any]
"""Timestamp, key, namespace."""

Bucket = dict[Any, Keys | LayeredKeys]
Buckets = dict[int, Bucket]

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

    __slots__ = ("_buckets", "_freeze", "_heap", "_layered", "_size")

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] | LayeredPane = {}
        self._size = 0  # the number of buckets
        self._freeze: Freeze | None = None  # the last one
        self._layered: list[
            tuple[Bucket, Any, LayeredKeys]
        ] = []  # what was touched since, and has not come together
        self._heap: list[int] = []  # every timestamp that has a bucket, and some that no longer have one

    def register(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Add a timer, unless it is there."""
        if timestamp.__class__ is not int:
            timestamp = whole_time(timestamp)
        bucket = self._buckets.get(timestamp)
        if bucket is None:
            whole_time(timestamp)
            self._buckets[timestamp] = {namespace: {key: None}}
            self._size += 1
            heapq.heappush(self._heap, timestamp)
            return
        keys = bucket.get(namespace)
        if keys is None:
            bucket[namespace] = {key: None}
        else:
            keys[key] = None

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
                self._size -= 1
                if len(self._heap) > 2 * self._size + _SPARE_STALE:
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

    def keep_first(self, count: int) -> tuple[int, int | None]:
        """Forget the latest times, so that no more timers than ``count`` are left; not of a queue that was saved.

        Returns how many are left, and the earliest time that was forgotten.
        """
        kept, times = 0, sorted(self._buckets)
        for at, timestamp in enumerate(times):
            size = sum(map(len, self._buckets[timestamp].values()))
            if kept + size > count:
                for later in times[at:]:
                    del self._buckets[later]
                self._size, self._heap[:] = at, times[:at]
                return kept, timestamp
            kept += size
        return kept, None

    def freeze(self, freeze: Freeze) -> Buckets:
        """All timers as they are now, in dictionaries that nobody changes until the freeze is over."""
        is_free = self._freeze is None or self._freeze.is_over()
        for bucket, namespace, keys in self._layered:
            if bucket.get(namespace) is keys:
                if is_free:
                    keys.settle(len(keys.base) + len(keys))
                bucket[namespace] = keys.base if is_free else keys.merged()
        self._layered = []
        buckets = self._buckets
        if isinstance(buckets, LayeredPane):
            buckets = buckets.frozen()
        self._freeze = freeze
        self._buckets = LayeredPane(buckets, freeze, self._own_bucket)
        return buckets

    def _own_bucket(self, bucket: Bucket) -> Bucket:
        """What is to be changed in place of a frozen one; its keys are the same until they change."""
        own: Bucket = {}
        for namespace, keys in bucket.items():
            assert isinstance(keys, dict)
            layered = own[namespace] = LayeredKeys(keys)
            self._layered.append((own, namespace, layered))
        return own

    def settle(self) -> None:
        """Bring together a part of what has changed since the snapshot, once that is written."""
        buckets = self._buckets
        if isinstance(buckets, LayeredPane):
            if not buckets.settle_if_over():
                return
            self._buckets = buckets.base
        limit = SETTLED_AT_ONCE
        while self._layered and limit > 0:
            bucket, namespace, keys = self._layered[-1]
            if bucket.get(namespace) is keys:
                limit = keys.settle(limit)
                if not keys.is_settled:
                    return
                bucket[namespace] = keys.base
            self._layered.pop()

    def __contains__(self, timer: Timer) -> bool:
        timestamp, key, namespace = timer
        bucket = self._buckets.get(timestamp)
        keys = None if bucket is None else bucket.get(namespace)
        return keys is not None and key in keys

    def __len__(self) -> int:
        buckets = self._buckets
        everything = buckets.frozen() if isinstance(buckets, LayeredPane) else buckets
        return sum(len(keys) for bucket in everything.values() for keys in bucket.values())


class KeyedTimers:
    """One named set of timers of one operator in one subtask; see :class:`~penstock.contracts.timers.Timers`.

    >>> timers = KeyedTimers("user-timers", 128)
    >>> timers.register_event_time_timer("a", None, 10)
    >>> list(timers.advance_watermark(9)), list(timers.advance_watermark(10))
    ([], [(10, 'a', None)])
    """

    __slots__ = (
        "_freeze",
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
        self._freeze: Freeze | None = None

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
        self.event_time.settle()
        return self.event_time.pop_until(watermark)

    def advance_processing_time(self, now_ms: int) -> Iterator[Timer]:
        """Yield and forget the processing-time timers up to ``now_ms``."""
        self.processing_time.settle()
        return self.processing_time.pop_until(now_ms)

    def next_processing_time(self) -> int | None:
        """When the next processing-time timer is due."""
        return self.processing_time.first_timestamp()

    def snapshot(self) -> StateEntries:
        """All timers, frozen."""
        pin = Pin()
        freeze = self._freeze = Freeze(pin, self._freeze)
        buckets = (self.event_time.freeze(freeze), self.processing_time.freeze(freeze))
        return FrozenTimers(self._name, self._max_parallelism, self._key_groups, pin, buckets)

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


@dataclass(slots=True)
class FrozenTimers:
    """The :class:`~penstock.contracts.state.StateEntries` of one set of timers; released when nobody has it any more."""

    name: str
    max_parallelism: int
    own: range
    pin: Pin
    buckets: tuple[Buckets, Buckets]

    @property
    def meta(self) -> StateMeta:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        return StateMeta(self.name, StateKind.TIMERS)

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        timers = chain(_timers_of(EVENT, self.buckets[0]), _timers_of(PROCESSING, self.buckets[1]))
        while part := list(islice(timers, ENTRIES_PER_CHUNK)):
            keys = [key for key, _, _ in part]
            groups = key_groups_of(keys, self.max_parallelism)
            for key, group in zip(keys, groups, strict=True):
                if group not in self.own:
                    raise StateError(
                        f"timers {self.name!r} hold key {key!r:.80} of key group {group}, but this subtask owns {self.own}"
                    )
            namespaces = [namespace for _, namespace, _ in part]
            is_void = all(namespace is None for namespace in namespaces)
            values = [value for _, _, value in part]
            chunk = EntryChunk(groups, keys, values, None if is_void else namespaces)
            if key_groups is not None:
                chunk = chunk.within(key_groups)
            if len(chunk):
                yield chunk

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredEntries(self.meta, tuple(self.chunks())).__reduce__()


def _timers_of(domain: str, buckets: Buckets) -> Iterator[tuple[Any, Any, tuple[str, int]]]:
    for timestamp, bucket in buckets.items():
        value = (domain, timestamp)
        for namespace, keys in bucket.items():
            for key in keys:
                yield key, namespace, value


def whole_time(timestamp: Any) -> int:
    """The time of a timer as an ``int``; raises ``TypeMismatch`` when it is none."""
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
