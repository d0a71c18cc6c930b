"""Which records of a batch belong together by their times.

Records of one piece of time (a *pane*: a whole tumbling window, or the largest part that sliding windows share) are in the
same windows. A part of a batch is a range of positions where the batch is in order of time, else an ascending list of them.
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain
from typing import Any

Part = range | list[int]


def split_by_pane(timestamps: list[int], offset: int, step: int) -> dict[int, Part]:
    """The start of each pane with its part of the batch, by the first record of each.

    >>> split_by_pane([1, 4, 5, 11], 0, 5), split_by_pane([1, 5, 4], 0, 5)
    ({0: range(0, 2), 5: range(2, 3), 10: range(3, 4)}, {0: [0, 2], 5: [1]})
    """
    ranges = _ranges(timestamps, offset, step)
    return ranges if ranges is not None else _lists(timestamps, offset, step)


def _ranges(timestamps: list[int], offset: int, step: int) -> dict[int, Part] | None:
    """Panes one after the other; None when the batch goes back to an earlier one."""
    parts: dict[int, Part] = {}
    size = len(timestamps)
    low = 0
    while low < size:
        first = timestamps[low]
        start = first - (first - offset) % step
        end = start + step
        # Only a batch in order makes this meaningful, which is why the piece that it finds is checked, and what follows too.
        high = bisect_left(timestamps, end, low)
        piece = timestamps[low:high]
        if start in parts or min(piece) < start or max(piece) >= end:
            return None
        parts[start] = range(low, high)
        low = high
    return parts if list(parts) == sorted(parts) else None


def _lists(timestamps: list[int], offset: int, step: int) -> dict[int, Part]:
    parts: dict[int, list[int]] = {}
    for position, timestamp in enumerate(timestamps):
        start = timestamp - (timestamp - offset) % step
        if start in parts:
            parts[start].append(position)
        else:
            parts[start] = [position]
    return dict(parts)


def join(parts: list[Part]) -> Part:
    """One part of several neighbouring ones, in the order of the batch.

    >>> join([range(0, 2), range(2, 3)]), join([[0, 3], [1]])
    (range(0, 3), [0, 1, 3])
    """
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, range) for part in parts):
        return range(parts[0][0], parts[-1][-1] + 1)
    return sorted(chain.from_iterable(parts))


def select(values: list[Any], part: Part) -> list[Any]:
    """The values at the positions of a part.

    >>> select(["a", "b", "c"], range(1, 3)), select(["a", "b", "c"], [0, 2])
    (['b', 'c'], ['a', 'c'])
    """
    if isinstance(part, range):
        return values[part.start : part.stop]
    return [values[position] for position in part]


def in_order(parts: Iterable[Part]) -> list[int]:
    """All positions of some parts, ascending.

    >>> in_order([[1, 4], range(2, 4)])
    [1, 2, 3, 4]
    """
    return sorted(chain.from_iterable(parts))
