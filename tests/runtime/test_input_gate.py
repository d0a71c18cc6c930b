"""The inputs of a task: fair reading, the minimum of watermarks with idle channels, ports that end, blocking exchanges."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.data.batch import RowBatch
from penstock.data.elements import (
    ACTIVE,
    END_OF_INPUT,
    IDLE,
    MIN_TIMESTAMP,
    Barrier,
    Element,
    StreamStatus,
    Watermark,
)
from penstock.errors import ProtocolError
from penstock.network.in_process import InProcessChannel
from penstock.network.spilled import SpoolChannel, SpoolMemory
from penstock.runtime.task.input_gate import GateEvent, InputGate, PortEnded


class Inputs:
    """A gate with channels to put into."""

    def __init__(self, *ports: int) -> None:
        self.channels = [InProcessChannel(100) for _ in ports]
        self.gate = InputGate(list(zip(ports, self.channels, strict=True)))

    def put(self, channel: int, *elements: Element) -> list[object]:
        """Put elements, and read what the gate makes of them."""
        for element in elements:
            self.channels[channel].put(element)
        return self.read()

    def read(self) -> list[object]:
        seen: list[object] = []
        while (item := self.gate.next()) is not None:
            seen.append(item)
        return seen


def test_batches_come_with_their_port() -> None:
    inputs = Inputs(0, 1)
    batch, other = RowBatch([1]), RowBatch([2])
    assert inputs.put(1, batch) == [(batch, 1)]
    assert inputs.put(0, other) == [(other, 0)]


def test_channels_are_read_in_turn_and_each_in_its_own_order() -> None:
    inputs = Inputs(0, 0, 0)
    for number in range(3):
        for channel in inputs.channels:
            channel.put(RowBatch([number]))
    assert [item[0].values[0] for item in inputs.read() if isinstance(item, tuple)] == [
        0,
        0,
        0,
        1,
        1,
        1,
        2,
        2,
        2,
    ]


def test_the_watermark_is_the_lowest_of_all_channels() -> None:
    inputs = Inputs(0, 1)
    assert inputs.put(0, Watermark(10)) == []
    assert inputs.put(1, Watermark(5)) == [Watermark(5)]
    assert inputs.put(1, Watermark(20)) == [Watermark(10)]
    assert inputs.gate.watermark == 10


def test_a_watermark_that_goes_back_changes_nothing() -> None:
    inputs = Inputs(0)
    assert inputs.put(0, Watermark(10), Watermark(5), Watermark(11)) == [Watermark(10), Watermark(11)]


def test_a_channel_that_becomes_idle_holds_the_others_back_no_longer() -> None:
    inputs = Inputs(0, 0)
    assert inputs.put(0, Watermark(10)) == []
    assert inputs.put(1, IDLE) == [Watermark(10)]


def test_when_the_last_channel_becomes_idle_the_highest_watermark_counts_before_the_gate_is_idle() -> None:
    inputs = Inputs(0, 0)
    assert inputs.put(0, Watermark(100), IDLE) == []
    assert inputs.put(1, Watermark(50)) == [Watermark(50)]
    assert inputs.put(1, IDLE) == [Watermark(100), IDLE]
    assert inputs.put(1, ACTIVE) == [ACTIVE]


def test_a_channel_that_wakes_up_behind_the_watermark_holds_nobody_back_until_it_has_caught_up() -> None:
    inputs = Inputs(0, 0)
    inputs.put(0, Watermark(100))
    assert inputs.put(1, IDLE) == [Watermark(100)]
    inputs.put(1, ACTIVE, Watermark(50))
    assert inputs.put(0, Watermark(200)) == [Watermark(200)]
    assert inputs.put(1, Watermark(250)) == []
    assert inputs.put(0, Watermark(300)) == [Watermark(250)]


def test_an_ended_channel_no_longer_counts() -> None:
    inputs = Inputs(0, 0)
    inputs.put(0, Watermark(10))
    assert inputs.put(1, END_OF_INPUT) == [Watermark(10)]
    assert not inputs.gate.ended


def test_a_port_ends_with_its_last_channel_and_the_gate_with_its_last_port() -> None:
    inputs = Inputs(0, 0, 1)
    assert inputs.put(0, END_OF_INPUT) == []
    assert inputs.put(1, END_OF_INPUT) == [PortEnded(0)]
    assert not inputs.gate.ended
    assert inputs.put(2, END_OF_INPUT) == [PortEnded(1)]
    assert inputs.gate.ended


def test_barriers_pass_in_their_order() -> None:
    inputs = Inputs(0)
    barrier = Barrier(1, 1_000)
    batch = RowBatch([1])
    assert inputs.put(0, batch, barrier, Watermark(3)) == [(batch, 0), barrier, Watermark(3)]


def test_a_port_that_is_to_be_read_first_is_read_to_its_end() -> None:
    inputs = Inputs(0, 1)
    inputs.gate.read_first(1)
    early, first = RowBatch(["early"]), RowBatch(["first"])
    inputs.channels[0].put(early)
    assert inputs.put(1, first) == [(first, 1)]
    assert inputs.put(1, END_OF_INPUT) == [PortEnded(1), (early, 0)]


def test_a_blocking_exchange_gives_nothing_before_all_of_it_has_come() -> None:
    spools = [SpoolChannel(SpoolMemory(1 << 20)), SpoolChannel(SpoolMemory(1 << 20))]
    gate = InputGate([(0, spools[0]), (0, spools[1])])
    gate.hold_until_complete()
    spools[0].put(RowBatch([1]))
    spools[0].put(END_OF_INPUT)
    assert gate.next() is None
    spools[1].put(END_OF_INPUT)
    item = gate.next()
    assert isinstance(item, tuple) and item[0].values == [1]
    assert gate.next() == PortEnded(0)


class _Nonsense:
    has_data = True

    def poll(self) -> str:
        return "nonsense"


def test_what_is_no_element_is_an_error_of_the_engine() -> None:
    with pytest.raises(ProtocolError, match="nonsense"):
        InputGate([(0, _Nonsense())]).next()  # type: ignore[list-item]


SIGNALS = st.lists(
    st.tuples(st.integers(0, 2), st.builds(Watermark, st.integers(0, 9)) | st.sampled_from([IDLE, ACTIVE]))
)


@given(SIGNALS)
def test_whatever_comes_watermarks_only_rise_and_statuses_alternate(
    signals: Sequence[tuple[int, GateEvent]],
) -> None:
    inputs = Inputs(0, 0, 1)
    seen = [item for channel, signal in signals for item in inputs.put(channel, signal)]  # type: ignore[arg-type]
    watermarks = [item.timestamp for item in seen if isinstance(item, Watermark)]
    assert watermarks == sorted(set(watermarks))
    statuses = [item for item in seen if isinstance(item, StreamStatus)]
    assert statuses == [IDLE, ACTIVE] * (len(statuses) // 2) + [IDLE] * (len(statuses) % 2)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30))))
def test_without_idleness_the_watermark_is_the_minimum_of_the_maxima(marks: list[tuple[int, int]]) -> None:
    inputs = Inputs(0, 0, 1)
    highest = [MIN_TIMESTAMP] * 3
    for channel, timestamp in marks:
        inputs.put(channel, Watermark(timestamp))
        highest[channel] = max(highest[channel], timestamp)
        assert inputs.gate.watermark == min(highest)
