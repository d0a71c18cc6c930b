"""sum, min, max, min_by and max_by over a position or field, as reduce functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import add, gt, lt
from typing import Any, ClassVar, Literal

from penstock.contracts.effects import Effect
from penstock.data.row import Row
from penstock.errors import ProgramError
from penstock.operators.user_code import GENERATED

AggregationKind = Literal["sum", "min", "max", "min_by", "max_by"]
# Reduces values into what is stored under their keys, and appends what was stored each time:
# ``fold(stored by key, keys, values, results)``.
Fold = Callable[[dict[Any, Any], Sequence[Any], Sequence[Any], list[Any]], None]

_COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "sum": add,
    "min": min,
    "max": max,
}


@dataclass(frozen=True, slots=True)
class FieldAggregation:
    """Aggregates one field. ``sum``, ``min`` and ``max`` keep the other fields of the first record; the ``_by`` forms keep
    the whole record with the smallest or largest field, the first of equals."""

    effect: ClassVar[Effect] = Effect.SHARES

    kind: AggregationKind
    field: int | str

    def __post_init__(self) -> None:
        if isinstance(self.field, int) and self.field < 0:
            raise ProgramError(f"{self.kind} takes a position from 0 on, not {self.field}")

    def __call__(self, reduced: Any, value: Any) -> Any:
        """The record so far with the next one."""
        return reducer_of(self.kind, self.field)(reduced, value)

    def reducer_for(self, example: Any) -> Callable[[Any, Any], Any]:
        """The same function, made for many calls on records like the example; right for all others too."""
        return reducer_of(self.kind, self.field, len(example) if type(example) is tuple else 0)

    def fold_for(self, example: Any) -> Fold | None:
        """The function as a loop over many records like the example, right for all others too; None where there is none."""
        if isinstance(self.field, str) or self.kind not in _COMBINE:
            return None
        fits = type(example) is tuple and self.field < len(example)
        return fold_of(self.kind, self.field, len(example)) if fits else None


@lru_cache(maxsize=256)
def reducer_of(kind: AggregationKind, field: int | str, width: int = 0) -> Callable[[Any, Any], Any]:
    """The reduce function of an aggregation; it is fastest for tuples of ``width`` fields.

    >>> reducer_of("sum", 1)(("a", 1), ("a", 2))
    ('a', 3)
    >>> reducer_of("max_by", 1)(("a", 1), ("b", 2))
    ('b', 2)
    """
    if kind == "min_by" or kind == "max_by":
        return _whole_record(kind, field)
    combine = _COMBINE[kind]
    if isinstance(field, int):
        return _of_width(kind, field, width) if 0 <= field < width else _positional(field, combine)
    return lambda reduced, value: _replaced(
        reduced, field, combine(_element(reduced, field), _element(value, field))
    )


def _whole_record(kind: AggregationKind, field: Any) -> Callable[[Any, Any], Any]:
    better = lt if kind == "min_by" else gt

    def reduce(reduced: Any, value: Any) -> Any:
        if type(reduced) is type(value) is tuple:
            return value if better(value[field], reduced[field]) else reduced
        return value if better(_element(value, field), _element(reduced, field)) else reduced

    return reduce


def _positional(field: int, combine: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def reduce(reduced: Any, value: Any) -> Any:
        if type(reduced) is tuple:
            return (*reduced[:field], combine(reduced[field], value[field]), *reduced[field + 1 :])
        return _replaced(reduced, field, combine(_element(reduced, field), _element(value, field)))

    return reduce


def _of_width(kind: AggregationKind, field: int, width: int) -> Callable[[Any, Any], Any]:
    fits = f"type(r) is tuple and len(r) == {width}"
    source = f"lambda r, v: {_combined(kind, field, width)} if {fits} else other(r, v)"
    code = compile(source, f"{GENERATED} {kind}({field})>", "eval")
    return eval(code, {"other": _positional(field, _COMBINE[kind])})  # type: ignore[no-any-return]


class OtherShape(Exception):
    """The first record of a key is not of the shape that a loop was made for."""


@lru_cache(maxsize=256)
def fold_of(kind: AggregationKind, field: int, width: int) -> Fold:
    """The running aggregation as one loop, without a call for each record, for tuples of ``width`` fields.

    All that is stored must be such tuples beforehand. The loop stops with ``OtherShape`` at the first record of a key that is
    not one; what is stored and appended until then stands.

    >>> results = []
    >>> fold_of("sum", 1, 2)({}, "aba", [("a", 1), ("b", 2), ("a", 3)], results)
    >>> results
    [('a', 1), ('b', 2), ('a', 4)]
    """
    source = f"""
def fold(entries, keys, values, results):
    get = entries.get
    append = results.append
    for key, v in zip(keys, values, strict=True):
        r = get(key)
        if r is None:
            if type(v) is not tuple or len(v) != {width}:
                raise OtherShape
        else:
            v = {_combined(kind, field, width)}
        entries[key] = v
        append(v)
"""
    namespace: dict[str, Any] = {"OtherShape": OtherShape}
    exec(compile(source, f"{GENERATED} {kind}({field})>", "exec"), namespace)
    return namespace["fold"]  # type: ignore[no-any-return]


def _combined(kind: AggregationKind, field: int, width: int) -> str:
    """An expression that makes a tuple of the fields of ``r`` and ``v`` in one go: ``(r[0], r[1] + v[1])``."""
    old, new = f"r[{field}]", f"v[{field}]"
    combined = f"{old} + {new}" if kind == "sum" else new
    parts = [combined if position == field else f"r[{position}]" for position in range(width)]
    whole = f"({', '.join(parts)},)"
    if kind != "sum":
        whole = f"({whole} if {new} {'<' if kind == 'min' else '>'} {old} else r)"
    return whole


def _element(record: Any, field: int | str) -> Any:
    """A field of a record; a record that has none stands for its only field, as a number in ``sum(0)``."""
    if isinstance(record, tuple) and isinstance(field, str):
        return getattr(record, field)
    if isinstance(record, (tuple, list, dict, Row)):
        return record[field]  # type: ignore[index]
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
