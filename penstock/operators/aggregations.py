"""sum, min, max, min_by and max_by over a position or field, as reduce functions."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import add, itemgetter
from typing import Any, Literal

from penstock.data.row import Row
from penstock.errors import ProgramError

AggregationKind = Literal["sum", "min", "max", "min_by", "max_by"]

_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": add,
    "min": min,
    "max": max,
}


@dataclass(frozen=True, slots=True)
class FieldAggregation:
    """Aggregates one field. ``sum``, ``min`` and ``max`` keep the other fields of the first record; the ``_by`` forms keep
    the whole record with the smallest or largest field, the first of equals."""

    kind: AggregationKind
    field: int | str

    def reduce(self, reduced: Any, value: Any) -> Any:
        """The record so far with the next one."""
        return self._reducer()(reduced, value)

    def __call__(self, reduced: Any, value: Any) -> Any:
        return self.reduce(reduced, value)

    def _reducer(self) -> Callable[[Any, Any], Any]:
        return reducer_of(self.kind, self.field)


def reducer_of(kind: AggregationKind, field: int | str) -> Callable[[Any, Any], Any]:
    """The reduce function of an aggregation, specialised for its field.

    >>> reducer_of("sum", 1)(("a", 1), ("a", 2))
    ('a', 3)
    >>> reducer_of("max_by", 1)(("a", 1), ("b", 2))
    ('b', 2)
    """
    get = itemgetter(field)
    if kind == "min_by":
        return lambda reduced, value: value if get(value) < get(reduced) else reduced
    if kind == "max_by":
        return lambda reduced, value: value if get(value) > get(reduced) else reduced
    combine = _COMBINE[kind]
    if isinstance(field, int):
        return _positional(field, combine)
    return lambda reduced, value: _replaced(reduced, field, combine(get(reduced), get(value)))


def _positional(field: int, combine: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def reduce(reduced: Any, value: Any) -> Any:
        if type(reduced) is tuple:
            return (*reduced[:field], combine(reduced[field], value[field]), *reduced[field + 1 :])
        return _replaced(reduced, field, combine(_element(reduced, field), _element(value, field)))

    return reduce


def _element(record: Any, field: int) -> Any:
    """A field of a record; a record that has none stands for its only field, as a number in ``sum(0)``."""
    if isinstance(record, (tuple, list, Row)):
        return record[field]
    if field == 0:
        return record
    raise ProgramError(f"a record of type {type(record).__name__} has no field {field}")


def _replaced(record: Any, field: int | str, value: Any) -> Any:
    """A copy of a record with one field changed."""
    if isinstance(record, Row):
        changed = Row(*record)
        changed.set_row_kind(record.get_row_kind())
        if hasattr(record, "_fields"):
            changed.set_field_names(record._fields)
        changed[field] = value
        return changed
    if isinstance(record, tuple):
        if isinstance(field, str):
            return record._replace(**{field: value})  # type: ignore[attr-defined]
        parts = [*record[:field], value, *record[field + 1 :]]
        return record._make(parts) if hasattr(record, "_make") else tuple(parts)
    if isinstance(record, list) and isinstance(field, int):
        return [*record[:field], value, *record[field + 1 :]]
    if isinstance(record, dict):
        return {**record, field: value}
    if field == 0:
        return value
    raise ProgramError(f"field {field!r} of a record of type {type(record).__name__} cannot be replaced")
