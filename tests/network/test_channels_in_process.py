"""The channel inside one process."""

import pytest

from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier, Element, Watermark
from penstock.errors import ProgramError, ProtocolError
from penstock.network.in_process import InProcessChannel


def test_elements_come_out_in_the_order_in_which_they_were_put() -> None:
    channel = InProcessChannel(2)
    elements: list[Element] = [RowBatch([1]), Watermark(1), Barrier(1, 5), RowBatch([2]), END_OF_INPUT]
    for element in elements:
        channel.put(element)
    assert [channel.poll() for _ in elements] == elements
    assert channel.poll() is None
    assert not channel.has_data


def test_only_batches_count_against_the_bound() -> None:
    channel = InProcessChannel(2)
    for time in range(100):
        channel.put(Watermark(time))
    assert channel.available
    channel.put(RowBatch([1]))
    channel.put(RowBatch([2]))
    assert not channel.available


def test_a_channel_is_available_again_when_a_batch_was_polled() -> None:
    channel = InProcessChannel(1)
    channel.put(Watermark(1))
    channel.put(RowBatch([1]))
    channel.poll()
    assert not channel.available
    channel.poll()
    assert channel.available


def test_a_sender_of_signals_alone_is_stopped_too() -> None:
    channel = InProcessChannel(1)
    for time in range(100_000):
        if not channel.available:
            break
        channel.put(Watermark(time))
    assert not channel.available


def test_nothing_can_be_put_after_close_and_what_was_put_arrives() -> None:
    channel = InProcessChannel(1)
    channel.put(RowBatch([1]))
    channel.close()
    with pytest.raises(ProtocolError, match="closed"):
        channel.put(END_OF_INPUT)
    assert channel.poll() == RowBatch([1])


def test_a_channel_without_room_for_a_batch_is_refused() -> None:
    with pytest.raises(ProgramError, match="capacity_batches is 0"):
        InProcessChannel(0)
