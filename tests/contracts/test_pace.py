"""How many records are worked on at once, by what they and their batches cost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.contracts.pace import BATCH_RECORDS, STEP_S, Pace


def run(pace: Pace, batch_s: float, record_s: float, pieces: int, most: int = BATCH_RECORDS) -> list[int]:
    """The sizes of so many pieces, of which each costs something by itself and for each record."""
    sizes = []
    for _ in range(pieces):
        sizes.append(min(pace.records, most))
        pace.took(sizes[-1], batch_s + record_s * sizes[-1])
    return sizes


def test_quick_records_come_in_whole_batches_after_a_dozen_pieces() -> None:
    sizes = run(Pace(), 0.000_02, 0.000_000_1, 20)
    assert sizes[:4] == [1, 2, 4, 8]
    assert sizes[12:] == [BATCH_RECORDS] * 8


@pytest.mark.parametrize("record_s", [0.02, 0.1, 10.0])
def test_records_that_take_longer_than_a_step_come_one_by_one_but_for_a_try(record_s: float) -> None:
    sizes = run(Pace(), 0.0, record_s, 200)
    assert set(sizes) == {1, 2}
    assert sizes.count(2) < 10
    assert sizes[0] == 1


@given(st.floats(0.000_001, 0.001), st.floats(0.0, 0.001))
def test_a_piece_takes_a_step_or_a_little_more(record_s: float, batch_s: float) -> None:
    sizes = run(Pace(), batch_s, record_s, 100)[20:]
    assert all(batch_s + size * record_s <= 2.5 * STEP_S for size in sizes)
    filled = max(batch_s + size * record_s for size in sizes)
    assert filled >= STEP_S / 3 or max(sizes) == BATCH_RECORDS


@pytest.mark.parametrize("batch_s", [0.005, 0.02, 0.2, 3.0])
def test_what_a_batch_costs_by_itself_does_not_make_it_small(batch_s: float) -> None:
    """A sink that sends one request for each batch would otherwise send one for each record."""
    assert min(run(Pace(), batch_s, 0.000_001, 60)[20:]) >= BATCH_RECORDS / 4
    mixed = run(Pace(), batch_s, 0.000_1, 100)[20:]
    assert min(mixed) * 0.000_1 >= min(batch_s, STEP_S) / 4


def test_records_that_become_slow_or_quick_are_followed() -> None:
    pace = Pace()
    run(pace, 0.0, 0.000_001, 30)
    slow = run(pace, 0.0, 0.02, 20)
    assert slow[0] == BATCH_RECORDS
    assert max(slow[3:]) <= 2
    assert run(pace, 0.0, 0.000_001, 60)[-1] == BATCH_RECORDS


def test_one_hiccup_is_forgotten() -> None:
    pace = Pace()
    run(pace, 0.0, 0.000_001, 30)
    pace.took(BATCH_RECORDS, 0.5)
    sizes = run(pace, 0.0, 0.000_001, 12)
    assert sizes[-1] == BATCH_RECORDS
    assert all(after >= before for before, after in pairwise(sizes))
    pace.took(1, 0.5)
    assert run(pace, 0.0, 0.000_001, 14)[-1] == BATCH_RECORDS


def test_small_batches_say_nothing_about_how_many_would_fit() -> None:
    pace = Pace()
    for _ in range(100):
        pace.took(1, 0.000_001)
    assert pace.records == 2
