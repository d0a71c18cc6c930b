"""Removing expired entries from the database a few at a time, in place of RocksDB's compaction filter.

The filter is code in C++ that rocksdict has no way to reach. What it would do while files are compacted is done here
between records: a round over all entries of a state, some for each access.
"""

from typing import Any

from penstock.state.rocksdb.database import Database, Entry
from penstock.state.rocksdb.map_table import RocksDBMapTable
from penstock.state.rocksdb.snapshot import Table
from penstock.state.ttl import Lifetime

ENTRIES_AT_A_TIME = 256
"""To begin where the last step ended costs as much as to look at some ten entries."""


class DatabaseSweep:
    """Goes round the entries of one state."""

    def __init__(
        self, lifetime: Lifetime, table: Table, database: Database, size: int, every_record: bool
    ) -> None:
        self._lifetime = lifetime
        self._table = table
        self._database = database
        self._credit = 0
        self._next: bytes | None = None
        self.size = size
        self.every_record = every_record

    def access(self) -> None:
        """Called at each access to the state."""
        self.step(self.size)

    def step(self, count: int) -> None:
        """Look at ``count`` more entries, as soon as enough have come together."""
        self._credit += count
        if self._credit >= ENTRIES_AT_A_TIME and not self._database.is_waiting:
            count, self._credit = self._credit, 0
            if self._table.has_stored:
                self._look_at(count)

    def _look_at(self, count: int) -> None:
        deadline = self._lifetime.deadline()
        state = self._table.bytes.state
        puts: list[Entry] = []
        deletes: list[bytes] = []
        start = self._next or b"\0\0"
        self._next = None
        groups = self._table.bytes.key_groups
        first = max(groups.start, int.from_bytes(start[:2], "big"))
        for place, data in self._database.scan_groups(range(first, groups.stop), state, start):
            if count == 0:
                self._next = place
                break
            count -= 1
            change = self._change(place, data, deadline)
            if change is not None:
                if change[1]:
                    puts.append(change)
                else:
                    deletes.append(change[0])
        if puts or deletes:
            self._database.write_entries(puts)
            self._database.write([], [], deletes)

    def _change(self, place: bytes, data: bytes, deadline: int) -> Entry | None:
        """What to write instead of an entry; nothing in it means to delete, None that it can stay."""
        stored: Any
        if isinstance(self._table, RocksDBMapTable):
            stored = self._table.bytes.pair(data)[1]
            is_expired = stored[1] <= deadline
            return self._table.forget(place, data) if is_expired else None
        stored = self._table.bytes.value(data)
        kept = self._lifetime.unexpired(stored, deadline)
        return None if kept is stored else self._table.forget(place, data, kept)
