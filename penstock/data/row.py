"""Rows: a list of values with optional field names and a row kind, as PyFlink programs know them."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from penstock.errors import ProgramError


class RowKind(Enum):
    """What a row says about a changing table: something new, one half of an update, or a deletion.

    >>> [str(kind) for kind in RowKind]
    ['+I', '-U', '+U', '-D']
    """

    INSERT = 0
    UPDATE_BEFORE = 1
    UPDATE_AFTER = 2
    DELETE = 3

    def __str__(self) -> str:
        return _SHORT_FORMS[self.value]


_SHORT_FORMS = ("+I", "-U", "+U", "-D")
_KINDS = tuple(RowKind)
_INSERT = RowKind.INSERT


class Row:
    """Values with optional names.

    Positional arguments make a row without names, keyword arguments a row with names in the order written. A row of names
    can be called to make rows that have these names.

    >>> Row("Alice", 11)
    <Row('Alice', 11)>
    >>> person = Row(name="Alice", age=11)
    >>> person.name, person["age"], person[0], "age" in person
    ('Alice', 11, 'Alice', True)
    >>> Row("name", "age")("Bob", 7)
    Row(name='Bob', age=7)
    """

    # A list of names is shared by all rows of a type and must not be changed in place.
    __slots__ = ("_kind", "_names", "_values")

    _kind: RowKind
    _names: list[str] | None
    _values: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs:
            if args:
                raise ValueError(
                    "Row takes either positional values or named ones, not both: "
                    f"got {len(args)} positional and {', '.join(kwargs)}"
                )
            self._names = list(kwargs)
            self._values = list(kwargs.values())
        else:
            self._names = None
            self._values = list(args)
        self._kind = _INSERT

    @staticmethod
    def of_kind(row_kind: RowKind, *args: Any, **kwargs: Any) -> "Row":
        """Make a row of a kind other than INSERT.

        >>> Row.of_kind(RowKind.DELETE, 1).get_row_kind()
        <RowKind.DELETE: 3>
        """
        row = Row(*args, **kwargs)
        row._kind = row_kind
        return row

    def as_dict(self, recursive: bool = False) -> dict[str, Any]:
        """The fields by name; ``recursive`` also turns rows inside of fields, lists and dicts.

        >>> Row(a=1, b=Row(c=2)).as_dict(True)
        {'a': 1, 'b': {'c': 2}}
        """
        if self._names is None:
            raise TypeError(f"{self!r} has no field names, so it cannot become a dict; see set_field_names")
        values = map(_plain, self._values) if recursive else self._values
        return dict(zip(self._names, values, strict=False))

    def get_row_kind(self) -> RowKind:
        """What the row says about a changing table."""
        return self._kind

    def set_row_kind(self, row_kind: RowKind) -> None:
        """Change what the row says about a changing table."""
        self._kind = row_kind

    def set_field_names(self, field_names: list[str]) -> None:
        """Name the fields, in order."""
        self._names = field_names

    def get_fields_by_names(self, names: list[str]) -> list[Any]:
        """The values in the order of ``names``; a row without names gives all its values as they are.

        >>> Row(a=1, b=2).get_fields_by_names(["b", "a"])
        [2, 1]
        """
        own = self._names
        if own is None or names == own:
            return self._values
        missing = [name for name in names if name not in own]
        if missing:
            raise ProgramError(f"field names {missing} do not exist in the row, which has {own}")
        return [self._values[own.index(name)] for name in names]

    @property
    def _fields(self) -> list[str]:
        if self._names is None:
            raise AttributeError("_fields")
        return self._names

    def __contains__(self, item: object) -> bool:
        return item in (self._values if self._names is None else self._names)

    def __call__(self, *args: Any) -> "Row":
        if len(args) > len(self._values):
            raise ValueError(f"{self!r} names {len(self._values)} fields, but got {len(args)} values: {args}")
        return new_row(list(args), self._values, self._kind)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, (int, slice)):
            return self._values[item]
        if self._names is None:
            raise AttributeError(f"{self!r} has no field names, so there is no field {item!r}")
        try:
            return self._values[self._names.index(item)]
        except (ValueError, IndexError):
            raise ValueError(f"there is no field {item!r} in {self!r}") from None

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, (int, slice)):
            self._values[key] = value
            return
        if self._names is None:
            raise KeyError(key)
        try:
            self._values[self._names.index(key)] = value
        except (ValueError, IndexError):
            raise ValueError(f"there is no field {key!r} in {self!r}") from None

    def __getattr__(self, item: str) -> Any:
        # Called only for what is not a method. Pickle and copy ask for underscored names of rows that have no values yet.
        if item.startswith("_"):
            raise AttributeError(item)
        if self._names is None:
            raise AttributeError(f"{self!r} has no field names, so there is no field {item!r}")
        try:
            return self._values[self._names.index(item)]
        except (ValueError, IndexError):
            raise AttributeError(f"there is no field {item!r} in {self!r}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        kind = self._kind
        if kind is _INSERT:
            return (_unpickle, (self._values, self._names))
        return (_unpickle, (self._values, self._names, kind.value))

    def __repr__(self) -> str:
        if self._names is None:
            return f"<Row({', '.join(map(repr, self._values))})>"
        fields = zip(self._names, self._values, strict=False)
        return f"Row({', '.join([f'{name}={value!r}' for name, value in fields])})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return False
        mine, theirs = self._names, other._names
        if self._kind is not other._kind:
            return False
        if mine is theirs or mine == theirs:
            return self._values == other._values
        if mine is None or theirs is None or sorted(mine) != sorted(theirs):
            return False
        return self._in_order_of_names() == other._in_order_of_names()

    def __hash__(self) -> int:
        # Rows whose names stand in another order are equal, so their hash has to be the same.
        return hash(tuple(self._values if self._names is None else self._in_order_of_names()))

    def _in_order_of_names(self) -> list[Any]:
        pairs = zip(self._names or (), self._values, strict=False)
        return [value for _, value in sorted(pairs, key=_first)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def new_row(values: list[Any], names: list[str] | None = None, kind: RowKind = _INSERT) -> Row:
    """A row that takes over the lists it is given; for the engine, which knows that nobody else changes them.

    >>> new_row([1, 2], ["a", "b"])
    Row(a=1, b=2)
    """
    row = _make(Row)
    row._values = values
    row._names = names
    row._kind = kind
    return row


def copied_row(row: Row) -> Row:
    """A row with the same values, names and kind.

    >>> copied_row(Row(a=1, b=2))
    Row(a=1, b=2)
    """
    return new_row(list(row._values), row._names, row._kind)


_make = Row.__new__


def _unpickle(values: list[Any], names: list[str] | None, kind: int = 0) -> Row:
    row = _make(Row)
    row._values = values
    row._names = names
    row._kind = _KINDS[kind]
    return row


def _first(pair: tuple[str, Any]) -> str:
    return pair[0]


def _plain(value: Any) -> Any:
    """A value without rows in it."""
    if isinstance(value, Row):
        return value.as_dict(True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def rows_of(values: Iterable[list[Any]], names: list[str] | None) -> list[Row]:
    """Rows of kind INSERT that take over the lists they are given.

    >>> rows_of([[1], [2]], ["a"])
    [Row(a=1), Row(a=2)]
    """
    rows: list[Row] = []
    append, make, insert = rows.append, _make, _INSERT
    for items in values:
        row = make(Row)
        row._values = items
        row._names = names
        row._kind = insert
        append(row)
    return rows
