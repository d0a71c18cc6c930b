"""Types of rows and tuples. A batch of them is turned into columns, and each column is checked as one list."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from penstock.data.row import Row, RowKind, new_row, rows_of
from penstock.data.type_collections import a_type, types_in
from penstock.data.type_information import Misfit, TypeInformation
from penstock.errors import ProgramError

_ROW, _TUPLE, _LIST = {Row}, {tuple}, {list}
_INSERT = RowKind.INSERT
_values_of = attrgetter("_values")
_names_of = attrgetter("_names")
_kind_of = attrgetter("_kind")


class RowTypeInfo(TypeInformation):
    """Rows with fields of the given types; every field may be None.

    A tuple, list, dict or object with attributes becomes a row. A row that has names is matched by name, every other value
    by position. Rows come out with the names of the type, or ``f0``, ``f1``, ...
    """

    __slots__ = ("_field_names", "_field_types", "_given_names")

    def __init__(self, field_types: list[TypeInformation], field_names: list[str] | None = None) -> None:
        self._field_types = types_in(field_types)
        self._given_names = bool(field_names)
        self._field_names = (
            list(field_names) if field_names else [f"f{i}" for i in range(len(self._field_types))]
        )
        if len(self._field_names) != len(self._field_types):
            raise ProgramError(
                f"a row type needs a name for each field: got {len(self._field_names)} names {self._field_names} "
                f"for {len(self._field_types)} types"
            )
        if len(set(self._field_names)) != len(self._field_names):
            raise ProgramError(f"the field names of a row type have to be different: got {self._field_names}")

    def get_field_names(self) -> list[str]:
        """The names of the fields, ``f0``, ``f1``, ... where none were given."""
        return self._field_names

    def get_field_index(self, field_name: str) -> int:
        """The position of a field; raises ValueError if there is no such field."""
        return self._field_names.index(field_name)

    def get_field_types(self) -> list[TypeInformation]:
        """The types of the fields."""
        return self._field_types

    def need_conversion(self) -> bool:
        return True

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        names = self._field_names
        named = False
        if kinds == _ROW:
            own_names = list(map(_names_of, values))
            named = own_names.count(names) == len(values)
            if named or own_names.count(None) == len(values):
                lists = list(map(_values_of, values))
            else:
                lists = [self._in_order(value) for value in values]
        elif kinds in (_TUPLE, _LIST):
            lists = values
        else:
            lists = [self._in_order(value) for value in values]
        columns = _fit_columns(lists, self._field_types, names, self, nullable=True)
        if named and columns is None:
            return values
        fresh = list(map(list, lists if columns is None else zip(*columns, strict=True)))
        row_kinds = _row_kinds(values, kinds)
        if row_kinds is None:
            return rows_of(fresh, names)
        return [new_row(items, names, kind) for items, kind in zip(fresh, row_kinds, strict=True)]

    def _in_order(self, value: Any) -> Any:
        """The fields of one value, in the order of the type."""
        if isinstance(value, Row):
            own = value._names
            if own is None or own == self._field_names:
                return value._values
            missing = [name for name in self._field_names if name not in own]
            if missing:
                raise Misfit(f"a row with the fields {', '.join(self._field_names)}", value)
            return value.get_fields_by_names(self._field_names)
        if isinstance(value, (tuple, list)):
            return value
        if isinstance(value, dict):
            if self._field_names and not any(name in value for name in self._field_names):
                raise Misfit(f"a dict with the keys {', '.join(self._field_names)}", value)
            return [value.get(name) for name in self._field_names]
        if hasattr(value, "__dict__") or hasattr(value, "__slots__"):
            try:
                return [getattr(value, name) for name in self._field_names]
            except AttributeError:
                pass
        raise Misfit(self.expectation(), value)

    def exact_test(self, place: str) -> str:
        fields = [
            f"({field} is None or {kind.exact_test(field)})"
            for kind, field in _fields(self._field_types, f"{place}._values")
        ]
        own = f"type({place}) is Row and {place}._names == {self._field_names!r} and len({place}._values) == {len(fields)}"
        return " and ".join([own, *fields])

    def expectation(self) -> str:
        return f"a row of {len(self._field_types)} fields"

    def parts(self) -> tuple[Any, ...]:
        # Flink compares the types of the fields only.
        return (self._field_types,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (RowTypeInfo, (self._field_types, self._field_names if self._given_names else None))

    def __repr__(self) -> str:
        if not self._given_names:
            return f"RowTypeInfo({', '.join(map(str, self._field_types))})"
        fields = zip(self._field_names, self._field_types, strict=True)
        return f"RowTypeInfo({', '.join([f'{name}: {kind}' for name, kind in fields])})"


class TupleTypeInfo(TypeInformation):
    """Tuples with fields of the given types; a list or a row becomes a tuple. A field is None only if its type knows None."""

    __slots__ = ("_field_types",)

    def __init__(self, field_types: list[TypeInformation]) -> None:
        self._field_types = types_in(field_types)

    def get_field_types(self) -> list[TypeInformation]:
        """The types of the fields."""
        return self._field_types

    def need_conversion(self) -> bool:
        return True

    def fit_present(self, values: list[Any], kinds: set[type]) -> list[Any]:
        if kinds != _TUPLE:
            values = [self._as_tuple(value) for value in values]
        names = [f"f{i}" for i in range(len(self._field_types))]
        columns = _fit_columns(values, self._field_types, names, self, nullable=False)
        return values if columns is None else list(zip(*columns, strict=True))

    def _as_tuple(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, (tuple, list, Row)):
            return tuple(value)
        raise Misfit(self.expectation(), value)

    def exact_test(self, place: str) -> str:
        fields = [f"({kind.exact_test(field)})" for kind, field in _fields(self._field_types, place)]
        return " and ".join([f"type({place}) is tuple and len({place}) == {len(fields)}", *fields])

    def expectation(self) -> str:
        return f"a tuple of {len(self._field_types)} fields"

    def parts(self) -> tuple[Any, ...]:
        return (self._field_types,)

    def __reduce__(self) -> tuple[Any, ...]:
        return (TupleTypeInfo, (self._field_types,))

    def __repr__(self) -> str:
        return f"TupleTypeInfo({', '.join(map(str, self._field_types))})"


class ExternalTypeInfo(TypeInformation):
    """Another type, marked as coming from a table."""

    __slots__ = ("_type_info",)

    def __init__(self, type_info: TypeInformation) -> None:
        self._type_info = a_type(type_info)

    @property
    def type_info(self) -> TypeInformation:
        """The type that it stands for."""
        return self._type_info

    def fit(self, values: list[Any], nullable: bool) -> list[Any]:
        return self._type_info.fit(values, nullable)

    def exact_test(self, place: str) -> str:
        return self._type_info.exact_test(place)

    def parts(self) -> tuple[Any, ...]:
        return (self._type_info,)

    def __repr__(self) -> str:
        return f"ExternalTypeInfo<{self._type_info}>"


def _fields(kinds: list[TypeInformation], place: str) -> Iterator[tuple[TypeInformation, str]]:
    """The types of fields, and the expressions of what stands in them."""
    return ((kind, f"{place}[{index}]") for index, kind in enumerate(kinds))


def _row_kinds(values: list[Any], kinds: set[type]) -> list[RowKind] | None:
    """The kinds of the rows, or None where all are INSERT."""
    if kinds == _ROW:
        found = list(map(_kind_of, values))
    elif any(issubclass(kind, Row) for kind in kinds):
        found = [value.get_row_kind() if isinstance(value, Row) else _INSERT for value in values]
    else:
        return None
    return None if found.count(_INSERT) == len(found) else found


def _fit_columns(
    records: list[Any],
    types: list[TypeInformation],
    names: list[str],
    whole: TypeInformation,
    *,
    nullable: bool,
) -> list[list[Any]] | None:
    """The fitted columns of records of equal width, or None where nothing had to change."""
    width = len(types)
    if set(map(len, records)) != {width}:
        raise Misfit(whole.expectation(), next(record for record in records if len(record) != width))
    changed = False
    columns = []
    for position, column in enumerate(zip(*records, strict=True)):
        given = list(column)
        try:
            fitted = types[position].fit(given, nullable)
        except Misfit as misfit:
            raise misfit.inside(names[position]) from None
        changed = changed or fitted is not given
        columns.append(fitted)
    return columns if changed else None
