"""Which barriers a task waits for, with channels that run ahead of each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.elements import Barrier
from penstock.runtime.task.barrier_alignment import BarrierAlignment

BOTH = {0, 1}


def barrier(checkpoint_id: int) -> Barrier:
    return Barrier(checkpoint_id, 0)


def test_at_least_once_waits_for_an_older_checkpoint_while_a_channel_is_one_ahead() -> None:
    alignment = BarrierAlignment(blocks=False)
    assert [
        alignment.arrived(channel, barrier(checkpoint_id), BOTH)
        for checkpoint_id, channel in ((5, 0), (6, 0), (5, 1), (6, 1))
    ] == [None, None, barrier(5), barrier(6)]


def test_at_least_once_gives_an_older_checkpoint_up_that_a_sender_never_saw() -> None:
    alignment = BarrierAlignment(blocks=False)
    assert alignment.arrived(0, barrier(5), BOTH) is None
    assert alignment.arrived(0, barrier(6), BOTH) is None
    assert alignment.arrived(1, barrier(6), BOTH) == barrier(6)
    assert not alignment.is_under_way
    assert alignment.is_done(5)


def test_the_end_of_a_channel_completes_everything_that_waited_for_it() -> None:
    alignment = BarrierAlignment(blocks=False)
    for checkpoint_id in (5, 6):
        alignment.arrived(0, barrier(checkpoint_id), BOTH)
    assert alignment.ended({0}) == [barrier(5), barrier(6)]


def test_giving_one_up_leaves_the_newer_ones() -> None:
    alignment = BarrierAlignment(blocks=False)
    for checkpoint_id in (5, 6):
        alignment.arrived(0, barrier(checkpoint_id), BOTH)
    assert alignment.abort(5)
    assert alignment.arrived(1, barrier(5), BOTH) is None
    assert alignment.arrived(1, barrier(6), BOTH) == barrier(6)


@pytest.mark.parametrize("blocks", [True, False])
def test_giving_a_newer_one_up_leaves_the_older_one(blocks: bool) -> None:
    alignment = BarrierAlignment(blocks)
    alignment.arrived(0, barrier(5), BOTH)
    assert not alignment.abort(6)
    assert alignment.arrived(1, barrier(5), BOTH) == barrier(5)
    assert alignment.arrived(0, barrier(6), BOTH) is None
    assert not alignment.is_under_way


def test_exactly_once_waits_for_one_checkpoint_at_a_time() -> None:
    alignment = BarrierAlignment()
    assert alignment.arrived(0, barrier(5), BOTH) is None
    assert alignment.holds(0)
    assert alignment.begins_anew(barrier(6))
    assert alignment.arrived(1, barrier(6), BOTH) is None
    assert not alignment.holds(0)
    assert alignment.arrived(0, barrier(6), BOTH) == barrier(6)


@given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 20), st.integers(0, 2))
def test_every_checkpoint_comes_once_and_in_order_however_far_channels_run_ahead(
    turns: list[int], last: int, ends: int
) -> None:
    alignment = BarrierAlignment(blocks=False)
    open_channels, sent, seen = {0, 1, 2}, [0, 0, 0], []
    for channel in turns:
        if sent[channel] < last:
            sent[channel] += 1
            seen.append(alignment.arrived(channel, barrier(sent[channel]), open_channels))
    open_channels.discard(ends)
    seen += alignment.ended(open_channels)
    for channel in open_channels:
        for checkpoint_id in range(sent[channel] + 1, last + 1):
            seen.append(alignment.arrived(channel, barrier(checkpoint_id), open_channels))
    assert [each for each in seen if each is not None] == [barrier(i) for i in range(1, last + 1)]
