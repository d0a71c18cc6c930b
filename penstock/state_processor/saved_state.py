"""One state of one operator in a savepoint, as rows, as an Arrow table, or as a dataframe; read from its files when asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from penstock.checkpoint.contents import StateContent, role_of
from penstock.checkpoint.element_files import decode_elements
from penstock.checkpoint.entry_files import decode_entries, encode_entries, shapes_in, without_times
from penstock.checkpoint.handles import FileRole, OperatorStateHandle, StateFile
from penstock.checkpoint.native_files import read_native
from penstock.checkpoint.place import CheckpointPlace
from penstock.checkpoint.snapshot_files import read_checked
from penstock.checkpoint.value_columns import decode
from penstock.contracts.state import EntryChunk, OperatorStateMode, StateEntries, StateKind
from penstock.data.pickles import load
from penstock.errors import StateError
from penstock.state.native_entries import open_rocksdb_files

if TYPE_CHECKING:
    import polars
    import pyarrow

_NOT_AS_STORED = ("pickle", "decimal", "timedelta in microseconds")


@dataclass(frozen=True, slots=True)
class SavedState:
    """Keyed state has the columns ``key``, ``namespace`` (the window, where there are any), ``value`` and, with a time to
    live, ``written_at``; timers have ``domain`` and ``time`` in place of ``value``. Operator state has ``element``, broadcast
    state ``key`` and ``value``.

    ``content`` is what the manifest says of it.
    """

    content: StateContent
    role: FileRole
    place: CheckpointPlace
    handles: tuple[OperatorStateHandle, ...]

    def of_subtask(self, index: int) -> "SavedState":
        """What one subtask had of it."""
        return replace(self, handles=tuple(h for h in self.handles if h.subtask_index == index))

    # Rows ---------------------------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every entry as a dict, with the values that the program had; one file is in memory at a time.

        :raises StateError: when a file was altered, or a class of the values cannot be had.
        """
        if self.role is FileRole.OPERATOR:
            yield from self._elements()
            return
        for content in self._files():
            for chunk in decode_entries(content, None, self.content.name):
                yield from self._entries(chunk)
        for entries in self._native():
            for chunk in entries.chunks():
                yield from self._entries(chunk)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.rows()

    def _entries(self, chunk: EntryChunk) -> Iterator[dict[str, Any]]:
        columns: dict[str, Any] = {"key": chunk.keys}
        if chunk.namespaces is not None:
            columns["namespace"] = chunk.namespaces
        if self.role is FileRole.TIMERS:
            columns["domain"] = [domain for domain, _ in chunk.values]
            columns["time"] = [time for _, time in chunk.values]
        elif self.content.has_ttl:
            kind = StateKind(self.content.kind)
            columns["value"], columns["written_at"] = without_times(kind, chunk.values)
        else:
            columns["value"] = chunk.values
        names = tuple(columns)
        for row in zip(*columns.values(), strict=True):
            yield dict(zip(names, row, strict=True))

    def _elements(self) -> Iterator[dict[str, Any]]:
        """The elements of all subtasks; of broadcast state those of one, as all have the same."""
        name = self.content.name
        for content in self._files():
            mode, elements = decode_elements(content, name)
            values = [load(element, f"operator state {name!r}") for element in elements]
            if mode is OperatorStateMode.BROADCAST:
                yield from ({"key": key, "value": value} for key, value in values)
                if values:
                    return
            else:
                yield from ({"element": value} for value in values)

    # Columns ------------------------------------------------------------------------------------------------------------

    def to_arrow(self) -> "pyarrow.Table":
        """All of it as an Arrow table, keyed state and timers with ``key_group`` besides.

        Values of plain types, tuples, rows, named tuples and dataclasses are columns. A column of other values is pickled in
        the savepoint; it is made of the values where Arrow has a type for them, and stays bytes where it has none.

        :raises StateError: when a file was altered, or the values in two files have no common type.
        """
        import pyarrow as pa

        files = chain(self._files(), *map(_as_files, self._native()))
        tables = [self._table(content) for content in files]
        if not tables:
            return self._nothing()
        if self.content.kind == f"operator-{OperatorStateMode.BROADCAST.value}":
            tables = [table for table in tables if len(table)][:1] or tables[:1]
        try:
            return pa.concat_tables(tables, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise StateError(
                f"the values of state {self.content.name!r} are not of one type, so they make no column ({error}); read them "
                "with rows()"
            ) from error

    def to_polars(self) -> "polars.DataFrame":
        """All of it as a dataframe of Polars."""
        import polars

        frame = polars.from_arrow(self.to_arrow())
        assert isinstance(frame, polars.DataFrame)
        return frame

    def to_pandas(self) -> Any:
        """All of it as a dataframe of pandas, which has to be installed."""
        return self.to_arrow().to_pandas()

    def _nothing(self) -> "pyarrow.Table":
        """The columns of a state that is known, and has no entries."""
        import pyarrow as pa

        groups = {"key_group": pa.array([], pa.uint16())}
        names = {FileRole.TIMERS: ("key", "domain", "time"), FileRole.OPERATOR: ("element",)}
        columns = {name: pa.nulls(0) for name in names.get(self.role, ("key", "value"))}
        return pa.table(columns if self.role is FileRole.OPERATOR else groups | columns)

    def _table(self, content: bytes) -> "pyarrow.Table":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(pa.BufferReader(content))
        shapes = shapes_in(table.schema.metadata or {}, f"state {self.content.name!r}")
        for name, shape in shapes.items():
            if shape["as"] in _NOT_AS_STORED:
                values = [value for chunk in table[name].chunks for value in decode(chunk, shape)]
                column = _column_of(values)
                if column is not None:
                    table = table.set_column(table.schema.get_field_index(name), name, column)
        return table.replace_schema_metadata(None)

    # Files --------------------------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[bytes]:
        for handle in self.handles:
            for file in handle.files:
                if self._is_mine(file):
                    yield read_checked(self.place, file, handle.owner)

    def _native(self) -> Iterator[StateEntries]:
        """What is in files of RocksDB."""
        if self.role not in (FileRole.KEYED, FileRole.TIMERS):
            return
        for handle in self.handles:
            found = read_native(
                self.place, handle, read_checked, handle.owner, partial(open_rocksdb_files, {})
            )
            for entries in found:
                meta = entries.meta
                if meta.name == self.content.name and role_of(meta.kind.value) is self.role:
                    yield entries

    def _is_mine(self, file: StateFile) -> bool:
        return file.role is self.role and file.state == self.content.name


def _as_files(entries: StateEntries) -> Iterator[bytes]:
    """Entries as they would be in files of a savepoint."""
    return (file.content for file in encode_entries(entries))


def _column_of(values: list[Any]) -> Any:
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError):
        return None
