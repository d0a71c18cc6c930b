"""The comparison of recorded and observed rows tells what is the same and what is not."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from comparison import encode_row, find_difference, text_of


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (1, True), (1, Decimal(1)), ((1,), [1]), ("1", 1), (0.0, -0.0)]
)
def test_values_of_different_types_are_different_rows(left: object, right: object) -> None:
    assert find_difference([encode_row(left)], [encode_row(right)], "exact") is not None


def test_the_order_of_a_dict_or_a_set_makes_no_difference() -> None:
    assert text_of(({"a": 1, "b": {2, 1}},)) == text_of(({"b": {1, 2}, "a": 1},))


def test_exact_tells_the_first_place_where_the_order_differs() -> None:
    recorded, observed = [encode_row(n) for n in (1, 2, 3)], [encode_row(n) for n in (1, 3, 2)]
    assert find_difference(recorded, observed, "any") is None
    difference = find_difference(recorded, observed, "exact")
    assert difference == "same rows in another order, first at 1: recorded int 2, observed int 3"


def test_per_key_lets_keys_mix_but_not_the_rows_of_one_key() -> None:
    recorded = [encode_row(row, lambda r: r[0]) for row in (("a", 1), ("a", 2), ("b", 1))]
    mixed = [recorded[2], recorded[0], recorded[1]]
    swapped = [recorded[1], recorded[0], recorded[2]]
    assert find_difference(recorded, mixed, "per_key") is None
    assert "key 'a'" in (find_difference(recorded, swapped, "per_key") or "")


def test_a_row_twice_is_not_a_row_once() -> None:
    assert find_difference([encode_row(1)], [encode_row(1)] * 2, "any") == "unexpected: int 1"
