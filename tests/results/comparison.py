"""Rows as text that can be kept, and the comparison of kept rows with observed ones.

Nothing here runs a job: values go in, values come out. A row is kept as its type's name and a text from which
equal values of equal types, and only those, can be told; so ``1``, ``1.0``, ``True`` and ``Decimal('1')`` differ.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

Order = Literal["exact", "per_key", "any"]
EncodedRow = list[str]


def encode_row(value: Any, key_of: Callable[[Any], Any] | None = None) -> EncodedRow:
    """Return ``[type name, text]``, or ``[type name, text, text of the key]`` when there is a key.

    >>> encode_row(("a", 1.0))
    ['tuple', "('a', 1.0)"]
    >>> encode_row(("a", 1), key_of=lambda row: row[0])
    ['tuple', "('a', 1)", "'a'"]
    """
    encoded = [type(value).__name__, text_of(value)]
    if key_of is not None:
        encoded.append(text_of(key_of(value)))
    return encoded


def text_of(value: Any) -> str:
    """Return a text for the value that does not depend on the order of a dict or a set.

    >>> text_of({"b": 1, "a": [2.0]})
    "{'a': [2.0], 'b': 1}"
    """
    if type(value).__name__ == "Row":
        return _text_of_table_row(value)
    if isinstance(value, dict):
        pairs = sorted((text_of(key), text_of(item)) for key, item in value.items())
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if isinstance(value, (set, frozenset)):
        return type(value).__name__ + "(" + ", ".join(sorted(text_of(item) for item in value)) + ")"
    if type(value) is tuple:
        inner = ", ".join(text_of(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is list:
        return "[" + ", ".join(text_of(item) for item in value) + "]"
    return repr(value)


def _text_of_table_row(row: Any) -> str:
    """Return names, values and kind: a Row is all three, its own repr shows only two."""
    names = list(getattr(row, "_fields", ()) or ())
    values = [text_of(item) for item in row]
    if names:
        values = [f"{name}={value}" for name, value in zip(names, values, strict=True)]
    return f"{row.get_row_kind()}Row({', '.join(values)})"


def find_difference(
    recorded: Sequence[EncodedRow], observed: Sequence[EncodedRow], order: Order
) -> str | None:
    """Return what differs as a text for a human, or None when the rows are the same under the order.

    ``exact``: the same rows in the same order; ``per_key``: the rows of each key in the same order, keys in any
    order; ``any``: the same rows, each as many times.

    >>> find_difference([["int", "1"], ["int", "2"]], [["int", "2"], ["int", "1"]], "any")
    >>> print(find_difference([["int", "1"]], [["int", "2"]], "any"))
    missing: int 1
    unexpected: int 2
    """
    match order:
        case "exact":
            return _find_difference_in_sequence(recorded, observed)
        case "any":
            return _find_difference_in_multiset(recorded, observed)
        case "per_key":
            return _find_difference_per_key(recorded, observed)


def _find_difference_in_multiset(
    recorded: Iterable[EncodedRow], observed: Iterable[EncodedRow]
) -> str | None:
    wanted = Counter(tuple(row[:2]) for row in recorded)
    seen = Counter(tuple(row[:2]) for row in observed)
    lines = [f"missing: {' '.join(row)}" for row in (wanted - seen).elements()]
    lines += [f"unexpected: {' '.join(row)}" for row in (seen - wanted).elements()]
    return "\n".join(lines) or None


def _find_difference_in_sequence(
    recorded: Sequence[EncodedRow], observed: Sequence[EncodedRow]
) -> str | None:
    if [row[:2] for row in recorded] == [row[:2] for row in observed]:
        return None
    multiset = _find_difference_in_multiset(recorded, observed)
    if multiset is not None:
        return multiset
    at = next(i for i, pair in enumerate(zip(recorded, observed, strict=True)) if pair[0][:2] != pair[1][:2])
    return (
        f"same rows in another order, first at {at}: recorded {' '.join(recorded[at][:2])}, "
        f"observed {' '.join(observed[at][:2])}"
    )


def _find_difference_per_key(recorded: Iterable[EncodedRow], observed: Iterable[EncodedRow]) -> str | None:
    wanted, seen = _rows_by_key(recorded), _rows_by_key(observed)
    for key in sorted(wanted.keys() | seen.keys()):
        difference = _find_difference_in_sequence(wanted[key], seen[key])
        if difference is not None:
            return f"key {key}: {difference}"
    return None


def _rows_by_key(rows: Iterable[EncodedRow]) -> defaultdict[str, list[EncodedRow]]:
    by_key: defaultdict[str, list[EncodedRow]] = defaultdict(list)
    for row in rows:
        by_key[row[2]].append(row)
    return by_key
