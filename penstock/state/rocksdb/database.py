"""One database: opened with the job's settings, read and written in batches, its failures named.

The only file that knows rocksdict. Every key begins with two bytes of key group and two of state.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.errors import OutsideError, ProgramError, StateError
from penstock.state.rocksdb.freed_memory import FreedMemory
from penstock.state.rocksdb.moment import Batch, Moment, MomentView
from penstock.state.rocksdb.settings import RocksDBSettings
from penstock.state.rocksdb.working_directory import WorkingDirectory

_MOST_IN_BATCH = 20_000
_MOST_READ = 1024  # RocksDB holds the blocks of all values that it is asked for at a time
_TRIMS_PER_MEMORY = 32
Entry = tuple[bytes, bytes]


def load_rocksdict() -> ModuleType:
    """The library; raises ``ProgramError`` saying how to get it."""
    try:
        import rocksdict
    except ImportError as error:
        raise ProgramError(
            "state.backend.type is rocksdb, and the package rocksdict is not installed: pip install penstock[rocksdb], "
            "or use hashmap"
        ) from error
    module: ModuleType = rocksdict
    return module


class SharedMemory:
    """The block cache and the write buffers of all databases of a worker: together they stay below the setting."""

    def __init__(self, settings: RocksDBSettings) -> None:
        rocksdict = load_rocksdict()
        self._settings = settings
        self.freed = FreedMemory(settings.counted_bytes // _TRIMS_PER_MEMORY)
        self._shared = self._parts(rocksdict) if settings.has_shared_memory else None

    def _parts(self, rocksdict: ModuleType) -> tuple[Any, Any]:
        settings = self._settings
        cache = rocksdict.Cache(settings.cache_bytes)
        buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            settings.write_buffers_bytes, False, cache
        )
        return cache, buffers

    def of_database(self) -> tuple[Any, Any]:
        """The block cache and the write buffers for a new database."""
        return self._shared or self._parts(load_rocksdict())


class Database:
    """A database in one directory. One thread reads and writes; others may complete a moment and read what it shows.

    The directory is removed when nothing works on it any more.
    """

    def __init__(self, directory: WorkingDirectory, settings: RocksDBSettings, memory: SharedMemory) -> None:
        self._rocksdict = load_rocksdict()
        self.path = f"{directory.path}/db"
        self._settings = settings
        self._directory = directory
        self._moment: Moment | None = None
        self._lock = threading.RLock()
        self._moments = 0
        self._users = 1  # this object's owner, and the views of moments
        self._buffers = memory.of_database()
        self._freed = memory.freed
        try:
            self._db = self._rocksdict.Rdict(self.path, self._options(*self._buffers))
        except Exception as error:
            raise self._failed("cannot be opened", error) from error
        # A failed job starts from its checkpoint; a log of its own would only cost.
        self._unlogged = self._rocksdict.WriteOptions()
        self._unlogged.disable_wal = True

    def begin_with(self, files: Mapping[str, Callable[[], bytes]]) -> None:
        """Have the files of another database, which are brought here, in place of this one, which is empty.

        :raises StateError: when they cannot be opened.
        """
        self._db.close()
        try:
            shutil.rmtree(self.path)
            os.mkdir(self.path)
            for name, read in files.items():
                Path(self.path, name).write_bytes(read())
        except OSError as error:
            raise OutsideError(f"a checkpoint cannot be brought to {self.path}: {error}") from error
        try:
            self._db = self._rocksdict.Rdict(self.path, self._options(*self._buffers))
        except Exception as error:
            raise StateError(f"the files of a RocksDB database cannot be opened: {error}") from error

    def delete_groups(self, groups: range) -> None:
        """Forget everything of some key groups."""
        try:
            start, stop = (group.to_bytes(2, "big") for group in (groups.start, groups.stop))
            self._db.delete_range(start, stop, write_opt=self._unlogged)
        except Exception as error:
            raise self._failed("cannot be written", error) from error

    def _options(self, cache: Any, buffers: Any) -> Any:
        rocksdict, settings = self._rocksdict, self._settings
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_keep_log_file_num(1)
        options.set_max_log_file_size(1 << 20)
        options.set_stats_dump_period_sec(0)
        options.set_max_open_files(512)
        options.set_write_buffer_manager(buffers)
        options.set_write_buffer_size(min(64 << 20, max(1 << 20, settings.write_buffers_bytes // 2)))
        # Most keys that are looked for in a write buffer are not in it, and to look costs more there than anywhere else.
        options.set_memtable_prefix_bloom_ratio(0.03)
        options.set_memtable_whole_key_filtering(True)
        options.set_level_compaction_dynamic_level_bytes(True)
        options.set_compression_type(rocksdict.DBCompressionType.lz4())
        options.set_max_background_jobs(2 if settings.kind_of_disk == "DEFAULT" else 4)
        # What a compaction takes is not counted: it reads ahead in each file, and gathers what a new file's filter has.
        options.set_compaction_readahead_size(256 << 10)
        options.set_target_file_size_base(8 << 20)
        table = rocksdict.BlockBasedOptions()
        table.set_block_cache(cache)
        table.set_cache_index_and_filter_blocks(True)
        table.set_pin_l0_filter_and_index_blocks_in_cache(True)
        # The cache is cut into up to 64 parts. The filter of a whole file doesn't fit into one, and would be read anew for
        # each key.
        table.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
        table.set_partition_filters(True)
        table.set_pin_top_level_index_and_filter(True)
        if settings.kind_of_disk.startswith("SPINNING"):
            # Few long reads: Flink's predefined options for spinning disks have large files and blocks too.
            table.set_block_size(128 << 10)
            options.set_target_file_size_base(256 << 20)
            options.set_compaction_readahead_size(4 << 20)
        settings.configurable.apply(rocksdict, options, table)
        options.set_block_based_table_factory(table)
        return options

    def get(self, key: bytes) -> bytes | None:
        """What is stored under a key."""
        try:
            found: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._failed("cannot be read", error) from error
        return found

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """The same for several keys at a time."""
        found: list[bytes | None] = []
        try:
            for start in range(0, len(keys), _MOST_READ):
                found += self._db.get(keys[start : start + _MOST_READ])
        except Exception as error:
            raise self._failed("cannot be read", error) from error
        return found

    def write(self, places: list[bytes], stored: list[bytes], deletes: Sequence[bytes] = ()) -> None:
        """Store values at places, and then forget what is at others; after everything of an earlier moment."""
        if self._moment is not None:
            self.finish()
        self._write(places, stored, deletes)

    def _write(self, places: list[bytes], stored: list[bytes], deletes: Sequence[bytes]) -> None:
        try:
            for start in range(0, len(places), _MOST_IN_BATCH):
                batch = self._rocksdict.WriteBatch(raw_mode=True)
                end = start + _MOST_IN_BATCH
                for key, value in zip(places[start:end], stored[start:end], strict=True):
                    batch[key] = value
                self._db.write(batch, self._unlogged)
            if deletes:
                batch = self._rocksdict.WriteBatch(raw_mode=True)
                for key in deletes:
                    del batch[key]
                self._db.write(batch, self._unlogged)
        except Exception as error:
            raise self._failed("cannot be written", error) from error
        self._freed.wrote(sum(map(len, places)) + sum(map(len, stored)) + sum(map(len, deletes)))

    def write_beside(self, places: list[bytes], stored: list[bytes], deletes: Sequence[bytes]) -> None:
        """The same without waiting for an earlier moment: while it is not held, and has nothing to write at these places."""
        self._write(places, stored, deletes)

    def write_entries(self, entries: list[Entry]) -> None:
        """Store places with their values."""
        self.write([place for place, _ in entries], [data for _, data in entries])

    def scan(self, prefix: bytes) -> Iterator[Entry]:
        """All entries whose keys begin with ``prefix``, as they are now, in the order of their keys."""
        return self.frozen().entries(prefix)

    def scan_groups(self, groups: range, suffix: bytes, start: bytes = b"") -> Iterator[Entry]:
        """The same for each key group in turn, from ``start`` on; groups without entries cost one step together."""
        cursor = self.frozen()
        group = groups.start
        while group < groups.stop:
            prefix = group.to_bytes(2, "big") + suffix
            key = cursor.seek(max(prefix, start))
            if key is None:
                return
            while key is not None and key.startswith(prefix):
                yield key, cursor.value()
                key = cursor.next()
            if key is None:
                return
            found = int.from_bytes(key[:2], "big")
            if found == group or key[2 : 2 + len(suffix)] > suffix:
                group = found + 1
            else:
                group = found

    def frozen(self) -> "Cursor":
        """All entries as they are now; later writes do not reach it, and another thread may read it."""
        return Cursor(self._db.iter())

    # Moments

    def hold(self, batches: Iterator[Batch], cursors: int, with_files: bool = False) -> MomentView:
        """A moment; ``batches`` belong to it and are still to be written.

        It will show as many cursors, and if asked for a directory with hard links to the files of the database. What is left
        of an earlier moment that nobody wants to see is written before.
        """
        if self.has_rest and self._moment is not None:
            batches = chain(self._moment.rest(), batches)
        else:
            self.finish()
        self._moments += 1
        copy = f"{self._directory.path}/moment-{self._moments}" if with_files else None

        def look() -> Shown:
            found = [self.frozen() for _ in range(cursors)]
            if copy is not None:
                self.checkpoint(copy)
            return Shown(found, copy)

        def let_go() -> None:
            if copy is not None:
                shutil.rmtree(copy, ignore_errors=True)
            self._leave()

        self._moment = Moment(batches, lambda batch: self._write(*batch), look)
        with self._lock:
            self._users += 1
        return MomentView(self._moment, let_go)

    @property
    def is_waiting(self) -> bool:
        """Whether something of a moment is still to be written, so that a write would have to wait for it."""
        moment = self._moment
        if moment is not None and moment.is_complete:
            self._moment = moment = None
        return moment is not None

    @property
    def is_held(self) -> bool:
        """Whether a snapshot waits for a moment, so that nothing newer may be written yet."""
        return self.is_waiting and not self.has_rest

    @property
    def has_rest(self) -> bool:
        """Whether something is still to be written that no snapshot waits for."""
        moment = self._moment
        return moment is not None and moment.is_released and not moment.is_complete

    def go_on(self) -> None:
        """Write a part of what no snapshot waits for."""
        if self.has_rest and self._moment is not None:
            self._moment.step()

    def finish(self) -> None:
        """Have everything written that belongs to a moment."""
        if self._moment is not None:
            self._moment.complete()
            self._moment = None

    def checkpoint(self, directory: str) -> None:
        """Write what is in memory, and make a copy of the database out of hard links to its files."""
        try:
            self._db.flush()
            self._rocksdict.Checkpoint(self._db).create_checkpoint(directory)
        except Exception as error:
            raise self._failed(f"cannot be copied to {directory}", error) from error

    def close(self) -> None:
        """Stop everything that works in the background, as soon as no moment is looked at any more."""
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._moment = None
                with suppress(Exception):  # it cannot write any more; nobody wants it to
                    self._db.close()
                self._directory.close()

    def _failed(self, what: str, error: Exception) -> OutsideError:
        return OutsideError(
            f"the RocksDB database in {self.path} {what}: {error}; look whether the disk is full or the directory is gone, "
            "or set state.backend.rocksdb.localdir to another place"
        )


def open_copy(directory: str) -> "Copy":
    """Files that once were copied from a database, open for reading; raises ``StateError`` when they cannot be."""
    rocksdict = load_rocksdict()
    try:
        options = rocksdict.Options(raw_mode=True)
        return Copy(rocksdict.Rdict(directory, options, access_type=rocksdict.AccessType.read_only()))
    except Exception as error:
        raise StateError(f"the files of a RocksDB database cannot be opened: {error}") from error


class Copy:
    """A database that is only read."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def cursor(self) -> "Cursor":
        """All its entries."""
        return Cursor(self._database.iter())


@dataclass(frozen=True, slots=True)
class Shown:
    """What a database looked like at a moment. ``directory`` has links to its files, None if that was not wanted."""

    cursors: list["Cursor"]
    directory: str | None


class Cursor:
    """A place among the entries of a database as it was."""

    __slots__ = ("_iterator",)

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def seek(self, key: bytes) -> bytes | None:
        """Go to the first entry at or after ``key``; its key, None at the end."""
        self._iterator.seek(key)
        return self._key()

    def next(self) -> bytes | None:
        """Go one entry further."""
        self._iterator.next()
        return self._key()

    def value(self) -> bytes:
        """The value of the entry."""
        value: bytes = self._iterator.value()
        return value

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """The keys of all entries whose keys begin with ``prefix``."""
        key = self.seek(prefix)
        while key is not None and key.startswith(prefix):
            yield key
            key = self.next()

    def entries(self, prefix: bytes) -> Iterator[Entry]:
        """All entries whose keys begin with ``prefix``."""
        key = self.seek(prefix)
        while key is not None and key.startswith(prefix):
            yield key, self.value()
            key = self.next()

    def _key(self) -> bytes | None:
        if self._iterator.valid():
            key: bytes = self._iterator.key()
            return key
        self._iterator.status()
        return None
