"""Credit bounds what is on its way: the number of batches, and with large ones their bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import RowBatch
from penstock.data.elements import Watermark
from penstock.network.connection import DEFAULT_MAX_FRAME_BYTES
from penstock.network.credits import BATCH_BYTES
from penstock.network.framing import Encoder, Payload
from penstock.network.remote import RemoteInput, RemoteOutput

WINDOW = 8


class Ends:
    """Both ends of a channel, without a connection between them."""

    def __init__(self) -> None:
        self.output = RemoteOutput(1, self._carry, Encoder(), DEFAULT_MAX_FRAME_BYTES)
        self.input = RemoteInput(self.output.credit.grant, WINDOW)
        self.waiting_bytes: list[int] = []
        self.input.open()

    def _carry(self, channel: int, kind: int, payload: Payload) -> None:
        self.waiting_bytes.append(len(payload))
        self.input.receive(kind, payload)

    def poll(self) -> Any:
        self.waiting_bytes.pop(0)
        return self.input.poll()


@pytest.mark.parametrize("size", [10, BATCH_BYTES // 2, 3 * BATCH_BYTES])
def test_a_sender_that_asks_for_room_sends_so_many_batches_or_so_many_bytes(size: int) -> None:
    ends = Ends()
    batch = RowBatch(["x" * size])
    sent = 0
    while ends.output.available:
        ends.output.put(batch)
        ends.output.put(Watermark(sent))
        sent += 1
    assert sent <= WINDOW
    assert sum(ends.waiting_bytes) <= (WINDOW + 1) * BATCH_BYTES + size
    for _ in range(1_000):
        if ends.output.available:
            ends.output.put(batch)
            sent += 1
        if ends.input.has_data:
            ends.poll()
        assert sum(ends.waiting_bytes) <= (WINDOW + 1) * BATCH_BYTES + size
    assert sent > 400, "credit comes back"


@given(st.lists(st.integers(0, 3 * BATCH_BYTES), max_size=12))
def test_everything_that_was_spent_comes_back(sizes: list[int]) -> None:
    ends = Ends()
    for size in sizes:
        ends.output.put(RowBatch(["x" * size]))
    while ends.input.has_data:
        ends.poll()
    assert WINDOW / 2 < ends.output.credit.left <= WINDOW
