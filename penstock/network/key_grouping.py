"""All records of a bounded keyed input, brought together per key."""

from collections import defaultdict
from collections.abc import Generator
from itertools import groupby
from operator import itemgetter
from typing import Any

from penstock.data.batch import RowBatch
from penstock.data.elements import MIN_TIMESTAMP
from penstock.errors import ProtocolError
from penstock.network.framing import Encoder, Kind, decode
from penstock.network.spilled import SpillFile, estimated_bytes

Part = tuple[int, list[Any], list[int] | None]
Groups = Generator[tuple[Any, list[Part]], None, None]

_BUCKET_BITS = 6
_BUCKETS = 1 << _BUCKET_BITS
_MAX_DEPTH = 4


class KeyGrouping:
    """Takes batches with keys by port; afterwards yields each key once, with all its records.

    Keeps a dictionary up to about ``memory_bytes``; beyond that it spreads the keys over buckets in a temporary file in
    ``directory`` by the hash of the key, and groups one bucket at a time (and a bucket that is too large again). A single key
    has to fit into memory.

    >>> grouping = KeyGrouping(memory_bytes=1 << 20)
    >>> grouping.add(0, RowBatch([("a", 2), ("b", 3), ("a", 1)], [20, 30, 10], ["a", "b", "a"]))
    >>> list(grouping.groups())
    [('a', [(0, [('a', 1), ('a', 2)], [10, 20])]), ('b', [(0, [('b', 3)], [30])])]
    """

    def __init__(self, memory_bytes: int, directory: str | None = None, depth: int = 0) -> None:
        self._memory_bytes = memory_bytes
        self._directory = directory
        self._depth = depth
        self._ports: dict[int, _PortRecords] = {}
        self._used_bytes = 0
        self._encoder = Encoder()
        self._file: SpillFile | None = None
        # Per bucket: port, where in the file, how much, and how much memory that takes.
        self._extents: list[list[tuple[int, int, int, int]]] = [[] for _ in range(_BUCKETS)]

    def add(self, port: int, batch: RowBatch) -> None:
        """Take a batch. Raises ``OutsideError`` when the disk is full."""
        if batch.keys is None:
            raise ProtocolError("a batch without keys reached an exchange that groups by key")
        self._port(port).add(batch.keys, batch.values, batch.timestamps)
        self._use(estimated_bytes(batch))

    def groups(self) -> Groups:
        """Each key with its records as ``(port, values, timestamps)``, to be called once, after the last :meth:`add`.

        Where all records of a key have timestamps they come in the order of these, in one part per run of the same port; else
        each port in order of arrival. Records with the same timestamp keep their order, a smaller port first. A record
        without timestamp among others has ``MIN_TIMESTAMP``. Closes the grouping at its end.
        """
        try:
            if self._file is None:
                yield from self._groups_in_memory()
            else:
                self._spill()
                for bucket in self._extents:
                    yield from self._groups_of_bucket(bucket)
        finally:
            self.close()

    def close(self) -> None:
        """Drop everything and close the file."""
        self._ports.clear()
        self._used_bytes = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def _port(self, port: int) -> "_PortRecords":
        records = self._ports.get(port)
        if records is None:
            records = self._ports[port] = _PortRecords()
        return records

    def _use(self, size: int) -> None:
        self._used_bytes += size
        if self._used_bytes > self._memory_bytes and self._depth < _MAX_DEPTH and self._has_several_keys():
            self._spill()

    def _has_several_keys(self) -> bool:
        keys: set[Any] = set()
        for records in self._ports.values():
            keys.update(key for key, _ in zip(records.values, range(2), strict=False))
        return len(keys) > 1

    # In memory

    def _groups_in_memory(self) -> Groups:
        ports = sorted(self._ports.items())
        keys = dict.fromkeys(key for _, records in ports for key in records.values)
        for key in keys:
            parts = [(port, *records.take(key)) for port, records in ports if key in records.values]
            yield key, _in_order(parts)

    # On disk

    def _spill(self) -> None:
        """Write all records in memory to the buckets of their keys."""
        if self._file is None:
            self._file = SpillFile(self._directory)
        count = sum(len(values) for records in self._ports.values() for values in records.values.values())
        per_record = self._used_bytes // max(1, count)
        for port, records in self._ports.items():
            buckets: dict[int, list[tuple[Any, list[Any], list[int] | None]]] = defaultdict(list)
            for key in list(records.values):
                buckets[self._bucket(key)].append((key, *records.take(key)))
            for bucket, entries in buckets.items():
                _, payload = self._encoder.encode(RowBatch(entries))
                memory = per_record * sum(len(values) for _, values, _ in entries)
                offset = self._file.append(payload)
                self._extents[bucket].append((port, offset, len(payload), memory))
        self._ports.clear()
        self._used_bytes = 0

    def _bucket(self, key: Any) -> int:
        from penstock.data.keys import stable_hash

        # A subtask sees only the hashes of its key groups; multiplying brings their other bits to the top.
        mixed = (stable_hash(key) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        return (mixed >> (64 - _BUCKET_BITS * (self._depth + 1))) & (_BUCKETS - 1)

    def _groups_of_bucket(self, extents: list[tuple[int, int, int, int]]) -> Groups:
        assert self._file is not None
        inner = KeyGrouping(self._memory_bytes, self._directory, self._depth + 1)
        try:
            for port, offset, size, memory in extents:
                batch = decode(Kind.ROWS, self._file.read(offset, size))
                assert isinstance(batch, RowBatch)
                records = inner._port(port)
                for key, values, timestamps in batch.values:
                    records.add([key] * len(values), values, timestamps)
                inner._use(memory)
            yield from inner.groups()
        finally:
            inner.close()


class _PortRecords:
    """The records of one port by key; timestamps only once there are some."""

    __slots__ = ("timestamps", "values")

    def __init__(self) -> None:
        self.values: defaultdict[Any, list[Any]] = defaultdict(list)
        self.timestamps: defaultdict[Any, list[int]] | None = None

    def add(self, keys: list[Any], values: list[Any], timestamps: list[int] | None) -> None:
        if timestamps is not None and self.timestamps is None:
            earlier = {key: [MIN_TIMESTAMP] * len(records) for key, records in self.values.items()}
            self.timestamps = defaultdict(list, earlier)
        by_key = self.values
        for key, value in zip(keys, values, strict=True):
            by_key[key].append(value)
        if self.timestamps is not None:
            times_by_key = self.timestamps
            for key, time in zip(keys, timestamps or [MIN_TIMESTAMP] * len(keys), strict=True):
                times_by_key[key].append(time)

    def take(self, key: Any) -> tuple[list[Any], list[int] | None]:
        """The records of a key, which are then no longer here; without timestamps when none of them has one."""
        timestamps = None if self.timestamps is None else self.timestamps.pop(key)
        if timestamps is not None and max(timestamps) == MIN_TIMESTAMP:
            timestamps = None
        return self.values.pop(key), timestamps


def _in_order(parts: list[Part]) -> list[Part]:
    """Sort the records of one key by timestamp where all have one."""
    if any(timestamps is None or min(timestamps) == MIN_TIMESTAMP for _, _, timestamps in parts):
        return parts
    if len(parts) == 1:
        port, values, timestamps = parts[0]
        assert timestamps is not None
        in_order = sorted(timestamps)
        if in_order == timestamps:
            return parts
        order = sorted(range(len(values)), key=timestamps.__getitem__)
        return [(port, [values[i] for i in order], in_order)]
    records = [
        (time, port, value)
        for port, values, timestamps in parts
        for time, value in zip(timestamps or (), values, strict=True)
    ]
    records.sort(key=itemgetter(0))
    runs = ((port, list(run)) for port, run in groupby(records, itemgetter(1)))
    return [(port, [value for _, _, value in run], [time for time, _, _ in run]) for port, run in runs]
