"""One set of timers in the database of an operator's keyed state, and what snapshots show of it."""

from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from typing import Any

from penstock.contracts.state import ENTRIES_PER_CHUNK, EntryChunk, StateEntries, StateMeta, StoredEntries
from penstock.errors import StateError
from penstock.state.rocksdb.database import Cursor, Database
from penstock.state.rocksdb.moment import Batch
from penstock.state.rocksdb.timer_bytes import TimerBytes
from penstock.state.rocksdb.timer_queue import StoredTimerQueue
from penstock.state.timers import EVENT, PROCESSING, Timer


class StoredTimers:
    """See :class:`~penstock.contracts.timers.Timers`. ``most_near``: so many of each time domain are in memory.

    ``is_adopted``: all timers of the snapshot that is restored are in the database already.
    """

    def __init__(
        self,
        meta: StateMeta,
        entries: TimerBytes,
        database: Database,
        most_near: int,
        is_adopted: bool = False,
    ) -> None:
        self.meta = meta
        self.bytes = entries
        self._is_adopted = is_adopted
        self.event_time = StoredTimerQueue(EVENT, entries, database, most_near, is_adopted)
        self.processing_time = StoredTimerQueue(PROCESSING, entries, database, most_near, is_adopted)
        self._shown: StoredTimerEntries | None = None

    def register_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        self.event_time.register(key, namespace, timestamp)

    def delete_event_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        self.event_time.delete(key, namespace, timestamp)

    def register_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        self.processing_time.register(key, namespace, timestamp)

    def delete_processing_time_timer(self, key: Any, namespace: Any, timestamp: int) -> None:
        self.processing_time.delete(key, namespace, timestamp)

    def advance_watermark(self, watermark: int) -> Iterator[Timer]:
        return self.event_time.pop_until(watermark)

    def advance_processing_time(self, now_ms: int) -> Iterator[Timer]:
        return self.processing_time.pop_until(now_ms)

    def next_processing_time(self) -> int | None:
        return self.processing_time.first_timestamp()

    @property
    def is_layered(self) -> bool:
        """Whether something of the last snapshot is still to be written."""
        return self.event_time.is_layered or self.processing_time.is_layered

    def freeze(self) -> Iterator[Batch]:
        """What the snapshot of the keyed state that is being taken has to write for these timers."""
        return chain(self.event_time.freeze(), self.processing_time.freeze())

    def show(self, cursor: Callable[[], Cursor]) -> None:
        """Take note of what shows the moment of that snapshot."""
        self._shown = StoredTimerEntries(self.meta, self.bytes, cursor)

    def snapshot(self) -> StateEntries:
        shown, self._shown = self._shown, None
        if shown is None:
            raise StateError(
                f"timers {self.meta.name!r} are saved with the keyed state of their operator, which is to be saved before"
            )
        return shown

    def restore(self, snapshots: list[StateEntries], key_groups: range) -> None:
        self.bytes.key_groups = key_groups
        if self._is_adopted:
            return
        for snapshot in snapshots:
            for chunk in snapshot.chunks(key_groups):
                self._load(chunk)

    def _load(self, chunk: EntryChunk) -> None:
        event: list[Timer] = []
        processing: list[Timer] = []
        namespaces = chunk.namespaces or repeat(None)
        for key, namespace, (domain, time) in zip(chunk.keys, namespaces, chunk.values, strict=False):
            (event if domain == EVENT else processing).append((time, key, namespace))
        for queue, timers in ((self.event_time, event), (self.processing_time, processing)):
            if timers:
                queue.load(timers)


class StoredTimerEntries:
    """Timers as they are in a database at a moment; see :class:`~penstock.contracts.state.NativeEntries`."""

    def __init__(self, meta: StateMeta, entries: TimerBytes, cursor: Callable[[], Cursor]) -> None:
        self.meta = meta
        self._entries = entries
        self._cursor = cursor
        self._key_groups = entries.key_groups

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        own = self._key_groups
        if key_groups is not None:
            own = range(max(own.start, key_groups.start), min(own.stop, key_groups.stop))
        timers = self._entries.scan(self._cursor(), own)
        while part := list(islice(timers, ENTRIES_PER_CHUNK)):
            namespaces = [namespace for _, _, (_, _, namespace) in part]
            yield EntryChunk(
                [group for group, _, _ in part],
                [key for _, _, (_, key, _) in part],
                [(domain, time) for _, domain, (time, _, _) in part],
                None if all(namespace is None for namespace in namespaces) else namespaces,
            )

    def count(self) -> int:
        """How many there are, of all key groups."""
        return sum(1 for _ in self._cursor().keys(self._entries.prefix))

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredEntries(self.meta, tuple(self.chunks())).__reduce__()
