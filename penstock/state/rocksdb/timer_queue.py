"""Timers of one time domain in a database, of which the next ones are in memory.

The *border* is a place in the order of all timers: those before it are near, and in memory as on the heap; those behind it
are in the database. When the near ones have fired, the border moves on; when they have become too many, it moves back.

What is registered and deleted is noted, and written many at a time. A near timer that was registered and has fired in between
never comes to the database.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from penstock.data.elements import MIN_TIMESTAMP
from penstock.state.rocksdb.database import Database
from penstock.state.rocksdb.moment import ENTRIES_PER_BATCH, Batch
from penstock.state.rocksdb.timer_bytes import TimerBytes, time_of
from penstock.state.timers import Timer, TimerQueue, whole_time

NOTES = ENTRIES_PER_BATCH
"""So many notes are written together."""

MOST_NOTES = 8 * NOTES
"""With so many the task doesn't wait any longer for the writer of a snapshot, and does its work itself."""

_END = -MIN_TIMESTAMP  # above all times


class Notes:
    """Timers to be put into the database, and others to be deleted there, of which no timer is both.

    Of those to be put, whether they may be there already.
    """

    __slots__ = ("deletes", "is_written", "puts")

    def __init__(self) -> None:
        self.puts: dict[Timer, bool] = {}
        self.deletes: dict[Timer, None] = {}
        self.is_written = False

    def __len__(self) -> int:
        return len(self.puts) + len(self.deletes)

    def say(self, timer: Timer) -> bool | None:
        """Whether there is that timer, None when it is not noted."""
        if timer in self.puts:
            return True
        return False if timer in self.deletes else None

    def batches(self, entries: TimerBytes, domain: str) -> Iterator[Batch]:
        """What to write; whoever asks for another batch has written those before."""
        puts, deletes = iter(self.puts), iter(self.deletes)
        while part := list(islice(puts, ENTRIES_PER_BATCH)):
            yield entries.places(domain, part), entries.stored(part), []
        while part := list(islice(deletes, ENTRIES_PER_BATCH)):
            yield [], [], entries.places(domain, part)
        self.is_written = True


_NOTHING = Notes()
_NOTHING.is_written = True


class StoredTimerQueue:
    """What :class:`~penstock.state.timers.TimerQueue` is on the heap; timers of one time that are not near come by key group.

    ``most_near``: so many are in memory, and a few more, or up to twice as many as came together. ``has_stored``: there are
    some in the database.
    """

    __slots__ = (
        "_border",
        "_count",
        "_database",
        "_domain",
        "_entries",
        "_frozen",
        "_has_stored",
        "_limit",
        "_most_near",
        "_near",
        "_notes",
        "_until",
    )

    def __init__(
        self, domain: str, entries: TimerBytes, database: Database, most_near: int, has_stored: bool = False
    ) -> None:
        self._domain = domain
        self._entries = entries
        self._database = database
        self._most_near = most_near
        self._limit = most_near  # with more near timers the border moves back
        self._has_stored = has_stored
        self._near = TimerQueue()
        self._count = 0  # of near timers
        self._until = MIN_TIMESTAMP if has_stored else _END  # the time of the border
        self._border: bytes | None = None  # its place among the timers of that time; None: before all of them
        self._notes = Notes()
        self._frozen = _NOTHING  # those that the last snapshot has taken

    # Timers

    def register(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Add a timer, unless it is there."""
        if timestamp.__class__ is not int:
            timestamp = whole_time(timestamp)
        timer = (timestamp, key, namespace)
        if timestamp < self._until or not self._is_far(timer):
            if timer in self._near:
                return
            self._near.register(key, namespace, timestamp)
            self._count += 1
            if self._count > self._limit:
                self._move_back()
            self._put(timer, False)
        else:
            whole_time(timestamp)
            self._put(timer, True)

    def delete(self, key: Any, namespace: Any, timestamp: int) -> None:
        """Remove a timer, if there is one."""
        if timestamp.__class__ is not int:
            timestamp = whole_time(timestamp)
        timer = (timestamp, key, namespace)
        if self._near.delete(key, namespace, timestamp):
            self._count -= 1
            self._forget(timer)
        elif MIN_TIMESTAMP <= timestamp < _END and self._is_far(timer):
            self._forget(timer)

    def first_timestamp(self) -> int | None:
        """When the next timer is due."""
        first = self._near.first_timestamp()
        while first is None and self._until < _END:
            self._move_on()
            first = self._near.first_timestamp()
        return first

    def pop_until(self, limit: int) -> Iterator[Timer]:
        """Remove and yield the timers up to and at ``limit``; see :meth:`penstock.state.timers.TimerQueue.pop_until`."""
        while True:
            for timer in self._near.pop_until(limit):
                self._count -= 1
                self._forget(timer)
                yield timer
            if limit < self._until:
                return
            self._move_on()

    def load(self, timers: list[Timer]) -> None:
        """Add timers of a snapshot; none is near yet."""
        self._database.write(self._entries.places(self._domain, timers), self._entries.stored(timers))
        self._has_stored, self._until, self._border = True, MIN_TIMESTAMP, None

    # The border

    def _is_far(self, timer: Timer) -> bool:
        return self._is_behind(timer, self._until, self._border)

    def _is_behind(self, timer: Timer, until: int, border: bytes | None) -> bool:
        if timer[0] != until or border is None:
            return timer[0] >= until
        return self._entries.places(self._domain, [timer])[0] >= border

    def _move_on(self) -> None:
        """Have the next timers in memory."""
        # In this order: what is written while the database is looked at is known from the notes.
        frozen = _NOTHING if self._frozen.is_written else self._frozen
        before = self._until, self._border
        found, until, border = self._next_stored(frozen)
        for timer in chain(self._notes.puts, frozen.puts):
            is_there = self._notes.say(timer) is not False
            if is_there and self._is_behind(timer, *before) and not self._is_behind(timer, until, border):
                found.append(timer)
        near = self._near
        for timer in found:
            if timer not in near:
                time, key, namespace = timer
                near.register(key, namespace, time)
                self._count += 1
        self._until, self._border = until, border
        # Many of one time come together: they would be gone with the next that is registered, and be asked for again.
        self._limit = max(self._most_near, 2 * self._count)

    def _next_stored(self, frozen: Notes) -> tuple[list[Timer], int, bytes | None]:
        """Timers behind the border, half as many as may be near, and where the rest begins."""
        found: list[Timer] = []
        if not self._has_stored:
            return found, _END, None
        entries, most = self._entries, max(1, self._most_near // 2)
        head = entries.head(self._domain)
        cursor = self._database.frozen()
        place = cursor.seek(self._border or entries.at(self._domain, self._until))
        while place is not None and place.startswith(head):
            if len(found) >= most:
                return found, time_of(place), place
            timer = entries.timer(place, cursor.value())
            noted = self._notes.say(timer)
            if noted is None:
                noted = frozen.say(timer)
            if noted is not False:
                found.append(timer)
            place = cursor.next()
        return found, _END, None

    def _move_back(self) -> None:
        """Forget the later half of what is in memory; it is in the database, or noted to be put there."""
        self._count, until = self._near.keep_first(self._most_near // 2)
        self._limit = self._most_near
        if until is not None:
            self._until, self._border = until, None

    # Notes

    def _put(self, timer: Timer, may_be_stored: bool) -> None:
        notes = self._notes
        if timer in notes.deletes:
            del notes.deletes[timer]
            may_be_stored = True
        notes.puts[timer] = may_be_stored
        if len(notes) >= NOTES:
            self._write_out()

    def _forget(self, timer: Timer) -> None:
        notes = self._notes
        if notes.puts.pop(timer, True):
            notes.deletes[timer] = None
            if len(notes) >= NOTES:
                self._write_out()

    def _write_out(self) -> None:
        notes, database = self._notes, self._database
        if database.is_held or self.is_layered:
            if len(notes) < MOST_NOTES:
                return
            database.finish()
        for batch in notes.batches(self._entries, self._domain):
            database.write_beside(*batch)
        self._has_stored = self._has_stored or bool(notes.puts)
        self._notes = Notes()

    @property
    def is_layered(self) -> bool:
        """Whether something of the last snapshot is still to be written."""
        return not self._frozen.is_written

    def freeze(self) -> Iterator[Batch]:
        """What a snapshot has to write to have all timers as they are now; what the last one had is written."""
        self._frozen, self._notes = self._notes, Notes()
        self._has_stored = self._has_stored or bool(self._frozen.puts)
        return self._frozen.batches(self._entries, self._domain)
