"""Python values as Arrow columns, and exactly the same values back.

A column has a *shape* beside its Arrow type: a small tree, kept as JSON, that says which Python values its numbers, texts
and structs stand for. Values of one plain type become a column of that type; tuples, rows, named tuples and dataclasses of
one class become structs, lists and dicts become lists; each with None among them or not. Anything else, and a mixture of
types, becomes a column of pickles, one for each value; its shape names the classes in them. Whatever the values are, what
comes back is equal to them and of the same types; only that two values share an object is not kept.
"""

from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, chain
from typing import Any

from penstock.checkpoint import value_classes
from penstock.contracts.state import TupleColumn
from penstock.data.number_columns import arrow_of
from penstock.data.saved_pickles import NotingPickles, SavedPickles
from penstock.data.text_columns import TextColumn
from penstock.errors import StateError

Shape = dict[str, Any]
Column = tuple[Any, Shape]
_NONE = type(None)
_DEEPEST = 16
_MOST_FIELDS = 256


def encode(values: Sequence[Any], pickles: NotingPickles | None = None, depth: int = 0) -> Column:
    """An Arrow array of the values, and its shape. Raises whatever pickling raises for a value that cannot be saved.

    ``pickles`` is given where several columns belong together: each of them names the classes of those before it, too.

    >>> array, shape = encode([("a", 1), ("b", 2)])
    >>> str(array.type), shape["as"], decode(array, shape)
    ('struct<f0: large_string, f1: int64>', 'tuple', [('a', 1), ('b', 2)])
    """
    if isinstance(values, TupleColumn):
        return _of_fields(values, pickles, depth)
    if isinstance(values, TextColumn):
        return values.column, {"as": "str"}
    if isinstance(values, array):
        return arrow_of(values), {"as": "int" if values.typecode == "q" else "float"}
    kinds = set(map(type, values))
    nullable = _NONE in kinds
    kinds.discard(_NONE)
    if not kinds:
        return _arrow().nulls(len(values)), {"as": "none"}
    pickles = NotingPickles() if pickles is None else pickles
    if len(kinds) == 1 and depth < _DEEPEST:
        kind = kinds.pop()
        column = None
        if kind in _PLAIN:
            column = _PLAIN[kind](values)
        elif kind is list:
            column = _lists(values, nullable, pickles, depth)
        elif kind is dict:
            column = _maps(values, nullable, pickles, depth)
        else:
            column = _structs(kind, values, nullable, pickles, depth)
        if column is not None:
            return column
    return _pickles(values, pickles)


def decode(array: Any, shape: Shape) -> list[Any]:
    """The values again; raises ``StateError`` where a class is gone or has other fields without defaults."""
    form = shape["as"]
    if form in _BACK:
        return _BACK[form](array)
    if form == "pickle":
        load = SavedPickles(shape.get("classes", ())).load
        return [None if data is None else load(data, "a pickled value") for data in array.to_pylist()]
    if form == "list":
        return _from_lists(array, decode(array.flatten(), shape["of"]))
    if form == "map":
        pairs = array.flatten()
        keys = decode(pairs.field(0), shape["keys"])
        items = decode(pairs.field(1), shape["values"])
        flat = list(zip(keys, items, strict=True))
        return [None if part is None else dict(part) for part in _from_lists(array, flat)]
    if form in value_classes.FORMS:
        fields = [decode(field, part) for field, part in zip(array.flatten(), shape["fields"], strict=True)]
        made = value_classes.make(shape, fields, len(array))
        if array.null_count:
            made = [
                value if there else None
                for value, there in zip(made, array.is_valid().to_pylist(), strict=True)
            ]
        return made
    raise StateError(f"a column of the form {form!r} is not known: a newer version of penstock wrote it")


def decode_column(array: Any, shape: Shape) -> Sequence[Any]:
    """The same; tuples are left as columns of their fields, for whoever may not need them."""
    if shape["as"] == "tuple" and shape["fields"] and not array.null_count:
        fields = zip(array.flatten(), shape["fields"], strict=True)
        return TupleColumn(*(decode(field, part) for field, part in fields))
    return decode(array, shape)


def _arrow() -> Any:
    import pyarrow

    return pyarrow


# Plain types -----------------------------------------------------------------------------------------------------------


def _of_type(form: str, arrow_type: Callable[[Any], Any]) -> Callable[[Sequence[Any]], Column | None]:
    def to_column(values: Sequence[Any]) -> Column | None:
        pa = _arrow()
        try:
            return pa.array(values, arrow_type(pa)), {"as": form}
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):  # too large a number, half a character
            return None

    return to_column


def _decimals(values: Sequence[Any]) -> Column | None:
    """As text: an Arrow column of decimals has one number of digits, and no infinity."""
    return _arrow().array(
        [None if value is None else str(value) for value in values], _arrow().large_string()
    ), {"as": "decimal"}


def _instants(values: Sequence[Any]) -> Column | None:
    zones = {value.tzinfo for value in values if value is not None}
    if any(value is not None and value.fold for value in values):
        return None
    pa = _arrow()
    if zones == {None}:
        return pa.array(values, pa.timestamp("us")), {"as": "datetime"}
    if zones == {UTC}:
        return pa.array(values, pa.timestamp("us", "UTC")), {"as": "datetime in UTC"}
    return None


def _times(values: Sequence[Any]) -> Column | None:
    if any(value is not None and (value.tzinfo is not None or value.fold) for value in values):
        return None
    return _arrow().array(values, _arrow().time64("us")), {"as": "time"}


def _durations(values: Sequence[Any]) -> Column | None:
    whole = [None if value is None else value // timedelta(microseconds=1) for value in values]
    try:
        return _arrow().array(whole, _arrow().int64()), {"as": "timedelta in microseconds"}
    except (_arrow().ArrowInvalid, OverflowError):
        return None


_PLAIN: dict[type, Callable[[Sequence[Any]], Column | None]] = {
    int: _of_type("int", lambda pa: pa.int64()),
    float: _of_type("float", lambda pa: pa.float64()),
    bool: _of_type("bool", lambda pa: pa.bool_()),
    str: _of_type("str", lambda pa: pa.large_string()),
    bytes: _of_type("bytes", lambda pa: pa.large_binary()),
    date: _of_type("date", lambda pa: pa.date32()),
    Decimal: _decimals,
    datetime: _instants,
    time: _times,
    timedelta: _durations,
}


def _in_utc(array: Any) -> list[Any]:
    naive = array.cast(_arrow().timestamp("us")).to_pylist()
    return [None if value is None else value.replace(tzinfo=UTC) for value in naive]


_BACK: dict[str, Callable[[Any], list[Any]]] = {
    **dict.fromkeys(
        ("none", "int", "float", "bool", "str", "bytes", "date", "datetime", "time"),
        lambda array: array.to_pylist(),
    ),
    "decimal": lambda array: [None if text is None else Decimal(text) for text in array.to_pylist()],
    "datetime in UTC": _in_utc,
    "timedelta in microseconds": lambda array: [
        None if whole is None else timedelta(microseconds=whole) for whole in array.to_pylist()
    ],
}


def _pickles(values: Sequence[Any], pickles: NotingPickles) -> Column:
    dump = pickles.dump
    pickled = [None if value is None else dump(value) for value in values]
    shape: Shape = {"as": "pickle"}
    if pickles.classes:
        shape["classes"] = list(pickles.classes)
    return _arrow().array(pickled, _arrow().large_binary()), shape


# Composites ------------------------------------------------------------------------------------------------------------


def _list_array(values: Sequence[Any], nullable: bool, flat: Any) -> Any:
    pa = _arrow()
    lengths = [0 if value is None else len(value) for value in values] if nullable else map(len, values)
    offsets = pa.array([0, *accumulate(lengths)], pa.int64())
    return pa.LargeListArray.from_arrays(offsets, flat, mask=_mask(values, nullable))


def _mask(values: Sequence[Any], nullable: bool) -> Any:
    return _arrow().array([value is None for value in values]) if nullable else None


def _present(values: Sequence[Any], nullable: bool) -> Sequence[Any]:
    return [value for value in values if value is not None] if nullable else values


def _lists(values: Sequence[Any], nullable: bool, pickles: NotingPickles, depth: int) -> Column:
    flat, shape = encode(list(chain.from_iterable(_present(values, nullable))), pickles, depth + 1)
    return _list_array(values, nullable, flat), {"as": "list", "of": shape}


def _maps(values: Sequence[Any], nullable: bool, pickles: NotingPickles, depth: int) -> Column:
    """As lists of pairs: the keys of an Arrow map cannot be null."""
    pa = _arrow()
    present = _present(values, nullable)
    keys, key_shape = encode(list(chain.from_iterable(present)), pickles, depth + 1)
    items, item_shape = encode(
        list(chain.from_iterable(value.values() for value in present)), pickles, depth + 1
    )
    pairs = pa.StructArray.from_arrays([keys, items], ["key", "value"])
    return _list_array(values, nullable, pairs), {"as": "map", "keys": key_shape, "values": item_shape}


def _from_lists(array: Any, flat: list[Any]) -> list[Any]:
    import pyarrow.compute as pc

    made: list[Any] = []
    start = 0
    for length in pc.list_value_length(array).to_pylist():
        if length is None:
            made.append(None)
        else:
            made.append(flat[start : start + length])
            start += length
    return made


def _of_fields(values: TupleColumn, pickles: NotingPickles | None, depth: int) -> Column:
    columns = [encode(field, pickles, depth + 1) for field in values.fields]
    names = [f"f{index}" for index in range(len(columns))]
    array = _arrow().StructArray.from_arrays([column for column, _ in columns], names)
    return array, {"as": "tuple", "fields": [shape for _, shape in columns]}


def _structs(
    kind: type, values: Sequence[Any], nullable: bool, pickles: NotingPickles, depth: int
) -> Column | None:
    form = value_classes.form_of(kind, _present(values, nullable))
    if form is None or not 0 < len(form.names) <= _MOST_FIELDS:
        return None
    pa = _arrow()
    columns = [
        encode(form.field(values, index, nullable), pickles, depth + 1) for index in range(len(form.names))
    ]
    array = pa.StructArray.from_arrays(
        [column for column, _ in columns], list(form.names), mask=_mask(values, nullable)
    )
    return array, {**form.description, "fields": [shape for _, shape in columns]}
