"""Points in time in columns: Arrow keeps them as microseconds, and has no ``Instant`` to give them back as."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from penstock.data.row import rows_of
from penstock.data.time import Instant
from penstock.data.type_composites import RowTypeInfo
from penstock.data.type_information import TypeInformation
from penstock.data.type_parts import types_inside
from penstock.data.types import Types

if TYPE_CHECKING:
    import pyarrow

_INSTANT = Types.INSTANT()


def holds_instants(kind: TypeInformation) -> bool:
    """Whether there is a point in time somewhere in a type.

    >>> holds_instants(Types.LIST(Types.INSTANT())), holds_instants(Types.LOCAL_DATE_TIME())
    (True, False)
    """
    return _INSTANT in types_inside(kind)


def microseconds_of(instant: Instant) -> int:
    """The number that a column holds.

    :raises ValueError: for what is finer.
    """
    microseconds, finer = divmod(instant.nanos, 1000)
    if finer:
        raise ValueError("files of columns hold points in time to the microsecond; round it before")
    return instant.seconds * 1_000_000 + microseconds


def rows_with_instants(columns: "pyarrow.RecordBatch", row_type: RowTypeInfo) -> list[Any]:
    """The rows of columns of a type that has points in time. Rows inside of rows are dicts, as with other types."""
    lists = [
        _values(column, kind)
        for column, kind in zip(columns.columns, row_type.get_field_types(), strict=True)
    ]
    return rows_of(map(list, zip(*lists, strict=True)), columns.schema.names)


def _values(column: "pyarrow.Array", kind: TypeInformation) -> list[Any]:
    read = _reader(kind)
    if read is not None:
        return list(map(read, column.cast(_as_numbers(column.type)).to_pylist()))
    import polars  # as where all columns become rows

    return polars.from_arrow(column).to_list()  # type: ignore[union-attr]


def _as_numbers(kind: "pyarrow.DataType") -> "pyarrow.DataType":
    """A type of Arrow in which points in time are numbers, which have no bounds that years of Python's dates have."""
    import pyarrow

    types = pyarrow.types
    if types.is_timestamp(kind) and kind.tz is not None:
        return pyarrow.int64()
    if types.is_list(kind):
        return pyarrow.list_(_as_numbers(kind.value_type))
    if types.is_map(kind):
        return pyarrow.map_(_as_numbers(kind.key_type), _as_numbers(kind.item_type))
    if types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, _as_numbers(field.type)) for field in kind])
    return kind


def _reader(kind: TypeInformation) -> Callable[[Any], Any] | None:
    """What is to be done to values as Arrow gives them; None for nothing."""
    if not holds_instants(kind):
        return None
    if kind == _INSTANT:
        return _instant
    if isinstance(kind, RowTypeInfo):
        names = kind.get_field_names()
        readers = dict(zip(names, map(_reader, kind.get_field_types()), strict=True))
        return _unless_none(lambda row: {name: _applied(readers[name], value) for name, value in row.items()})
    element = getattr(kind, "element_type", None)
    if element is not None:
        read = _reader(element)
        return _unless_none(lambda values: [_applied(read, value) for value in values])
    key, item = _reader(kind.key_type), _reader(kind.value_type)  # type: ignore[attr-defined]
    return _unless_none(lambda pairs: {_applied(key, k): _applied(item, v) for k, v in pairs})


def _applied(read: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if read is None else read(value)


def _unless_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _instant(microseconds: int | None) -> Instant | None:
    if microseconds is None:
        return None
    seconds, rest = divmod(microseconds, 1_000_000)
    return Instant(seconds, rest * 1000)
