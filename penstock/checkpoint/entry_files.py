"""The entries of one state of one subtask as Parquet files, which any reader of Parquet opens, and back.

Columns: ``key_group``, ``key``, ``namespace`` (where there is any but the void one), ``value``; with a time to live also
``written_at``; for timers ``domain`` and ``time`` in place of ``value``. Rows are sorted by key group, so that the statistics
of a row group tell which groups are in it. The schema's metadata has, under ``penstock``, what the columns stand for. All of
it is written down in ``docs/internals/checkpoint-format.md``.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from penstock.checkpoint.value_columns import Shape, decode_column, encode
from penstock.contracts.state import EntryChunk, StateEntries, StateKind, StateMeta
from penstock.contracts.state_snapshots import unsavable
from penstock.data.number_columns import arrow_of
from penstock.data.saved_pickles import NotingPickles
from penstock.errors import StateError

ENTRIES_VERSION: Final = 1
METADATA: Final = b"penstock"
_ROWS_PER_GROUP: Final = 1 << 17
_CHUNKS_SORTED_AT_ONCE: Final = 64
_MOST_BYTES: Final = 256 << 20
_COMPRESSION_LEVEL: Final = 1

Columns = dict[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A file of entries. ``columns``: the name of each column with its Arrow type, as text."""

    content: bytes
    rows: int
    columns: tuple[tuple[str, str], ...]


def encode_entries(entries: StateEntries) -> Iterator[EncodedFile]:
    """The files of a state: one, or several where it is large or its values change their type on the way. None if empty.

    Raises ``StateError`` naming state and key of a value that cannot be saved.
    """
    tables: list[Any] = []
    writer: _Writer | None = None
    pickles = NotingPickles()
    for chunk in entries.chunks():
        table = _table_of(entries.meta, chunk, pickles)
        if writer is not None and not writer.takes(table):
            writer.write(tables)
            yield writer.finish()
            writer, tables = None, []
        if writer is None:
            writer = _Writer(table.schema)
        tables.append(table)
        if len(tables) >= _CHUNKS_SORTED_AT_ONCE:
            writer.write(tables)
            tables = []
    if writer is not None:
        writer.write(tables)
        yield writer.finish()


class _Writer:
    """One file."""

    def __init__(self, schema: Any) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._file = BytesIO()
        self._rows = 0
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression="zstd",
            compression_level=_COMPRESSION_LEVEL,
            use_dictionary=["key_group"],
            write_statistics=["key_group", "namespace", "time"],
        )

    def takes(self, table: Any) -> bool:
        return self._file.tell() < _MOST_BYTES and table.schema.equals(self._schema, check_metadata=True)

    def write(self, tables: list[Any]) -> None:
        import pyarrow as pa

        if not tables:
            return
        table = pa.concat_tables(tables).combine_chunks()
        groups = table["key_group"]
        if groups.num_chunks and not _is_sorted(groups):
            table = table.sort_by("key_group")
        self._writer.write_table(table, row_group_size=_ROWS_PER_GROUP)
        self._rows += len(table)

    def finish(self) -> EncodedFile:
        self._writer.close()
        columns = tuple((field.name, str(field.type)) for field in self._schema)
        return EncodedFile(self._file.getvalue(), self._rows, columns)


def _is_sorted(groups: Any) -> bool:
    import pyarrow.compute as pc

    joined = groups.combine_chunks()
    return bool(pc.all(pc.less_equal(joined[:-1], joined[1:])).as_py()) if len(joined) > 1 else True


def _table_of(meta: StateMeta, chunk: EntryChunk, pickles: NotingPickles) -> Any:
    import pyarrow as pa

    arrays = [_groups(chunk.key_groups)]
    names = ["key_group"]
    shapes: dict[str, Shape] = {}
    try:
        for name, values in _columns_of(meta, chunk).items():
            column, shapes[name] = encode(values, pickles)
            arrays.append(column)
            names.append(name)
    except Exception as error:
        raise unsavable(meta, chunk, error) from error
    description = {
        "version": ENTRIES_VERSION,
        "state": meta.name,
        "kind": meta.kind.value,
        "type": meta.type_text,
        "ttl": meta.ttl,
        "columns": shapes,
    }
    return pa.table(arrays, names=names).replace_schema_metadata(
        {METADATA: json.dumps(description, sort_keys=True)}
    )


def _groups(groups: Sequence[int]) -> Any:
    import pyarrow as pa

    if isinstance(groups, array) and groups.typecode == "H":
        return arrow_of(groups)
    return pa.array(groups, pa.uint16())


def _columns_of(meta: StateMeta, chunk: EntryChunk) -> Columns:
    columns: Columns = {"key": chunk.keys}
    if chunk.namespaces is not None:
        columns["namespace"] = chunk.namespaces
    if meta.kind is StateKind.TIMERS:
        columns["domain"] = [domain for domain, _ in chunk.values]
        columns["time"] = [time for _, time in chunk.values]
    elif not meta.ttl:
        columns["value"] = chunk.values
    else:
        columns["value"], columns["written_at"] = without_times(meta.kind, chunk.values)
    return columns


def without_times(kind: StateKind, stored: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Values with a time to live apart from when they were written: one time for each value, element or entry."""
    match kind:
        case StateKind.LIST:
            return [[value for value, _ in each] for each in stored], [
                [at for _, at in each] for each in stored
            ]
        case StateKind.MAP:
            values = [{key: value for key, (value, _) in each.items()} for each in stored]
            return values, [[at for _, at in each.values()] for each in stored]
    return [value for value, _ in stored], [at for _, at in stored]


def _with_times(kind: StateKind, values: Sequence[Any], times: Sequence[Any]) -> list[Any]:
    match kind:
        case StateKind.LIST:
            return [list(zip(*each, strict=True)) for each in zip(values, times, strict=True)]
        case StateKind.MAP:
            return [
                {key: (value, at) for (key, value), at in zip(pairs.items(), ats, strict=True)}
                for pairs, ats in zip(values, times, strict=True)
            ]
    return list(zip(values, times, strict=True))


# Back ------------------------------------------------------------------------------------------------------------------


class FileEntries:
    """The :class:`~penstock.contracts.state.StateEntries` in files of one state, of one or several subtasks.

    ``reads`` give the content of each file when it is wanted, so that one file is in memory at a time.
    """

    __slots__ = ("_reads", "meta")

    def __init__(self, meta: StateMeta, reads: Iterable[Callable[[], bytes]]) -> None:
        self.meta = meta
        self._reads = tuple(reads)

    def chunks(self, key_groups: range | None = None) -> Iterator[EntryChunk]:
        """See :class:`~penstock.contracts.state.StateEntries`."""
        for read in self._reads:
            yield from decode_entries(read(), key_groups, self.meta.name)


def decode_entries(content: bytes, key_groups: range | None, name: str) -> Iterator[EntryChunk]:
    """The entries of one file; those of ``key_groups`` alone if given.

    :raises StateError: when the file is of a newer version or no such file, or a class of its values cannot be had.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise StateError(f"the entries of state {name!r} cannot be read: {error}") from error
    meta, shapes = _meta_and_shapes(file.schema_arrow.metadata or {}, name)
    for index in range(file.num_row_groups):
        if key_groups is not None and not _may_have(file.metadata.row_group(index), key_groups):
            continue
        table = file.read_row_group(index).combine_chunks()
        if key_groups is not None:
            table = _within(table, key_groups)
        for batch in table.to_batches(max_chunksize=_ROWS_PER_GROUP):
            if batch.num_rows:
                yield _chunk_of(meta, shapes, batch)


def read_meta(content: bytes, name: str) -> StateMeta:
    """Which state a file of entries belongs to."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return _meta_and_shapes(pq.ParquetFile(pa.BufferReader(content)).schema_arrow.metadata or {}, name)[0]


def shapes_in(metadata: dict[bytes, bytes], what: str) -> dict[str, Shape]:
    """The shape of each column of a file of entries or elements, from its schema's metadata."""
    shapes: dict[str, Shape] = described(metadata, what, ENTRIES_VERSION)["columns"]
    return shapes


def described(metadata: dict[bytes, bytes], what: str, newest: int) -> dict[str, Any]:
    """What the metadata of a file say; raises ``StateError`` for a newer version and for files of others."""
    if METADATA not in metadata:
        raise StateError(f"the file of {what} cannot be read: it was not written by penstock")
    found: dict[str, Any] = json.loads(metadata[METADATA])
    if found["version"] > newest:
        raise StateError(
            f"the file of {what} has format version {found['version']}, and this version of penstock reads up to {newest}: "
            "use the version that wrote it, or a newer one"
        )
    return found


def _meta_and_shapes(metadata: dict[bytes, bytes], name: str) -> tuple[StateMeta, dict[str, Shape]]:
    found = described(metadata, f"state {name!r}", ENTRIES_VERSION)
    return StateMeta(found["state"], StateKind(found["kind"]), found["type"], found["ttl"]), found["columns"]


def _may_have(row_group: Any, key_groups: range) -> bool:
    statistics = row_group.column(0).statistics
    if statistics is None or not statistics.has_min_max or not key_groups:
        return True
    return bool(statistics.min <= key_groups[-1] and statistics.max >= key_groups[0])


def _within(table: Any, key_groups: range) -> Any:
    import pyarrow.compute as pc

    groups = table["key_group"]
    return table.filter(pc.and_(pc.greater_equal(groups, key_groups.start), pc.less(groups, key_groups.stop)))


def _chunk_of(meta: StateMeta, shapes: dict[str, Shape], batch: Any) -> EntryChunk:
    columns: dict[str, Any]
    try:
        columns = {name: decode_column(batch.column(name), shape) for name, shape in shapes.items()}
    except StateError as error:
        what = "timers" if meta.kind is StateKind.TIMERS else "state"
        raise StateError(f"{what} {meta.name!r}: {error.message}") from error
    values: Sequence[Any]
    if meta.kind is StateKind.TIMERS:
        values = list(zip(columns["domain"], columns["time"], strict=True))
    elif meta.ttl:
        values = _with_times(meta.kind, columns["value"], columns["written_at"])
    else:
        values = columns["value"]
    return EntryChunk(batch.column("key_group").to_pylist(), columns["key"], values, columns.get("namespace"))
