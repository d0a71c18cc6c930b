"""Running sums of pairs ``(key, value)``, which keep the value alone under its key, and not the whole pair.

Counting words and summing by key are this. A pair in the state costs a read of its memory and the freeing of the one before,
mostly outside of the processor's cache: a third of the whole job. The value is what a loop by hand would keep, too.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from penstock.contracts.state import TupleColumn
from penstock.operators.aggregations import AggregationKind, FieldAggregation, OtherShape
from penstock.operators.user_code import GENERATED

# Of these types two equal keys cannot be told apart, so that the key of the first record need not be kept. (1, True and 1.0
# are equal too: the loop stops at a key of another type.)
_KEY_TYPES = (str, int, bytes)
_COMBINED = {"sum": "r + b", "min": "b if b < r else r", "max": "b if b > r else r"}


class PairFold:
    """A running aggregation while all its records are pairs of their key and a value.

    It is the :class:`~penstock.contracts.state.StoredForm` in which the state is kept: of each pair its value.
    """

    def __init__(self, kind: AggregationKind, key_type: type) -> None:
        self._key_type = key_type
        self.fold = _loop_of(kind, key_type)
        """Append the updated pair of each record: ``fold(values by key, keys, records, results)``.

        What is raised, ``OtherShape`` for a record that is no such pair, leaves the results up to that record standing, and
        the state as it was before it.
        """
        self.fold_pairs = _loop_of(kind, key_type, keys_are_first=True)
        """The same for records whose keys are their first items: ``fold_pairs(values by key, records, results)``."""
        self.fold_fields = _loop_of_fields(kind, key_type)
        """The same for keys and values in a list each, and appended is what stands in the updated pair beside the key:
        ``fold_fields(values by key, keys, values, results)``."""

    @staticmethod
    def for_records(function: FieldAggregation, key: Any, value: Any) -> "PairFold | None":
        """One for records like this one, None where there is none.

        >>> PairFold.for_records(FieldAggregation("sum", 1), "a", ("b", 1)) is None
        True
        """
        if function.field != 1 or function.kind not in _COMBINED or type(key) not in _KEY_TYPES:
            return None
        if type(value) is not tuple or len(value) != 2 or value[0] is not key:
            return None
        return PairFold(function.kind, type(key))

    def shrink(self, keys: Sequence[Any], stored: Sequence[Any]) -> Sequence[Any] | None:
        """The values of the pairs; None if one of them is no pair of its key and a value.

        >>> fold = PairFold("sum", str)
        >>> fold.shrink(["a"], [("a", 1)]), fold.shrink(["a"], TupleColumn(["a"], [1]))
        ([1], [1])
        >>> fold.shrink(["a"], [("b", 1)]) is None
        True
        """
        # Whole columns at once: a job that is restored has all its state here, before its first record.
        firsts: Sequence[Any]
        values: Sequence[Any]
        if isinstance(stored, TupleColumn):
            if len(stored.fields) != 2:
                return None
            firsts, values = stored.fields
        elif set(map(type, stored)) <= {tuple} and set(map(len, stored)) <= {2}:
            firsts, values = [first for first, _ in stored], [value for _, value in stored]
        else:
            return None
        if not set(map(type, firsts)) | set(map(type, keys)) <= {self._key_type} or firsts != keys:
            return None
        return None if type(None) in set(map(type, values)) else values

    def expand(self, keys: Sequence[Any], shrunk: Sequence[Any]) -> TupleColumn:
        """The pairs again."""
        return TupleColumn(keys, shrunk)


@lru_cache(maxsize=64)
def _loop_of(kind: AggregationKind, key_type: type, keys_are_first: bool = False) -> Any:
    """The loop, without a call for each record."""
    if keys_are_first:
        head, clause, wrong = "fold(entries, values, results)", "v in values", "type(v) is not tuple"
    else:
        head, clause, wrong = (
            "fold(entries, keys, values, results)", "key, v in zip(keys, values, strict=True)", "a is not key",
        )  # fmt: skip
    source = f"""
def {head}:
    get = entries.get
    append = results.append
    for {clause}:
        try:
            a, b = v
        except (TypeError, ValueError):
            raise OtherShape from None
        if {wrong} or type(a) is not {key_type.__name__}:
            raise OtherShape
        r = get(a)
        if r is not None:
            b = {_COMBINED[kind]}
        elif type(v) is not tuple or b is None:
            raise OtherShape
        entries[a] = b
        append((a, b))
"""
    return _function(source, kind)


@lru_cache(maxsize=64)
def _loop_of_fields(kind: AggregationKind, key_type: type) -> Any:
    """No pair is made."""
    return _function(
        f"""
def fold(entries, keys, values, results):
    get = entries.get
    append = results.append
    for a, b in zip(keys, values, strict=True):
        if type(a) is not {key_type.__name__}:
            raise OtherShape
        r = get(a)
        if r is not None:
            b = {_COMBINED[kind]}
        elif b is None:
            raise OtherShape
        entries[a] = b
        append(b)
""",
        kind,
    )


def _function(source: str, kind: AggregationKind) -> Any:
    namespace: dict[str, Any] = {"OtherShape": OtherShape}
    exec(compile(source, f"{GENERATED} {kind} of pairs>", "exec"), namespace)
    return namespace["fold"]
