"""Running sums of pairs ``(key, value)``, which keep the value alone under its key, and not the whole pair.

Counting words and summing by key are this. A pair in the state costs a read of its memory and the freeing of the one before,
mostly outside of the processor's cache: a third of the whole job. The value is what a loop by hand would keep, too.
"""

from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from penstock.operators.aggregations import AggregationKind, FieldAggregation, OtherShape
from penstock.operators.user_code import GENERATED

Entries = dict[Any, Any]
# Of these types two equal keys cannot be told apart, so that the key of the first record need not be kept. (1, True and 1.0
# are equal too: the loop stops at a key of another type.)
_KEY_TYPES = (str, int, bytes)
_COMBINED = {"sum": "r + b", "min": "b if b < r else r", "max": "b if b > r else r"}
_Loop = Callable[[Entries, Sequence[Any], Sequence[Any], list[Any]], None]


class PairFold:
    """The state of a running aggregation while all its records are pairs of their key and a value.

    Whoever has it owns the entries of the state's table: they are moved in here by :meth:`take_in`, and out again by
    :meth:`give_back` before anybody else may look at them.
    """

    def __init__(self, kind: AggregationKind, key_type: type) -> None:
        self._key_type = key_type
        self._loop = _loop_of(kind, key_type)
        self._by_key: Entries = {}

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

    def take_in(self, entries: Entries) -> bool:
        """Move all entries in here; False, and nothing has happened, if one of them is no pair of its key and a value."""
        kind = self._key_type
        for key, stored in entries.items():
            is_pair = type(stored) is tuple and len(stored) == 2
            if not is_pair or type(key) is not kind or type(stored[0]) is not kind or stored[0] != key:
                return False
        self._by_key.update((key, stored[1]) for key, stored in entries.items())
        entries.clear()
        return True

    def give_back(self, entries: MutableMapping[Any, Any]) -> None:
        """Move all entries back, as the pairs that they stand for."""
        entries.update((key, (key, value)) for key, value in self._by_key.items())
        self._by_key.clear()

    def fold(self, keys: Sequence[Any], values: Sequence[Any], results: list[Any]) -> None:
        """Append the updated pair of each record.

        What is raised, ``OtherShape`` for a record that is no such pair, leaves the results up to that record standing, and
        the state as it was before it.
        """
        self._loop(self._by_key, keys, values, results)


@lru_cache(maxsize=64)
def _loop_of(kind: AggregationKind, key_type: type) -> _Loop:
    """The loop, without a call for each record."""
    source = f"""
def fold(entries, keys, values, results, none=object()):
    get = entries.get
    append = results.append
    for key, v in zip(keys, values, strict=True):
        try:
            a, b = v
        except (TypeError, ValueError):
            raise OtherShape from None
        if a is not key or type(a) is not {key_type.__name__}:
            raise OtherShape
        r = get(a, none)
        if r is not none:
            b = {_COMBINED[kind]}
        elif type(v) is not tuple:
            raise OtherShape
        entries[a] = b
        append((a, b))
"""
    namespace: dict[str, Any] = {"OtherShape": OtherShape}
    exec(compile(source, f"{GENERATED} {kind} of pairs>", "exec"), namespace)
    return namespace["fold"]  # type: ignore[no-any-return]
