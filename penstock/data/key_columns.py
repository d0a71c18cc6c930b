"""The key groups of many keys at once, with the loops in C: for snapshots, where every key's group is asked for."""

from array import array
from binascii import crc32
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from penstock.data.keys import FACTOR_1, FACTOR_2, TEXT_SEED, stable_hash

# Python's hash of an integer is the integer itself up to here, except that of -1.
_OWN_HASH_BELOW = 2**61 - 1
_WORTH_COLUMNS = 256


def key_groups_of(keys: Sequence[Any], max_parallelism: int) -> Sequence[int]:
    """The key group of each key. Costs about 20 ns for an integer, 150 ns for text, 500 ns for others.

    >>> from penstock.data.keys import key_group
    >>> keys = [*range(1000), "a"]
    >>> list(key_groups_of(keys, 128)) == [key_group(key, 128) for key in keys]
    True
    """
    kinds = set(map(type, keys)) if len(keys) >= _WORTH_COLUMNS else set()
    if kinds == {int}:
        numbers = _integers(keys)
        if numbers is not None:
            return _groups(numbers, max_parallelism)
    elif kinds == {str}:
        checks = map(
            crc32, map(str.encode, keys, repeat("utf-8"), repeat("surrogatepass")), repeat(TEXT_SEED)
        )
        return _groups(array("q", checks), max_parallelism, TEXT_SEED)
    return [stable_hash(key) % max_parallelism for key in keys]


def _integers(keys: Iterable[int]) -> "array[int] | None":
    try:
        numbers = array("q", keys)
    except OverflowError:
        return None
    return numbers if min(numbers) > -_OWN_HASH_BELOW and max(numbers) < _OWN_HASH_BELOW else None


def _groups(numbers: "array[int]", max_parallelism: int, offset: int = 0) -> Sequence[int]:
    """``stable_hash``'s mixing of bits, for whole columns; Arrow's arithmetic on unsigned numbers wraps around."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def number(value: int) -> Any:
        return pa.scalar(value, pa.uint64())

    signed = pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
    if offset:
        signed = pc.add(signed, offset)
    else:
        signed = pc.if_else(pc.equal(signed, -1), pa.scalar(-2, pa.int64()), signed)
    mixed = signed.view(pa.uint64())
    mixed = pc.multiply(pc.bit_wise_xor(mixed, pc.shift_right(mixed, number(30))), number(FACTOR_1))
    mixed = pc.multiply(pc.bit_wise_xor(mixed, pc.shift_right(mixed, number(27))), number(FACTOR_2))
    mixed = pc.bit_wise_xor(mixed, pc.shift_right(mixed, number(31)))
    # Arrow has no remainder: x - x // m * m, which is exact for whole numbers.
    parallelism = number(max_parallelism)
    groups = pc.subtract(mixed, pc.multiply(pc.divide(mixed, parallelism), parallelism)).cast(pa.uint16())
    found = array("H")
    found.frombytes(groups.buffers()[1])
    return found[: len(numbers)]
