"""Channels between workers, over real sockets in one process."""

import logging
import socket
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.data.batch import ColumnBatch, RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier, Element, Watermark
from penstock.errors import ProgramError, ProtocolError
from penstock.network.channel import InputChannel, channel_number
from penstock.network.exchange import NetworkOptions
from penstock.network.in_process import InProcessChannel
from penstock.network.spilled import SpoolChannel, SpoolMemory
from tests.alone import in_a_process_of_its_own
from tests.network.workers import Worker, connected, drive, in_background, open_descriptors, vanish


def drain(channel: InputChannel) -> list[Element]:
    elements = []
    while (element := channel.poll()) is not None:
        elements.append(element)
    return elements


def collect(workers: list[Worker], source: InputChannel, until: int | Element) -> list[Element]:
    """What arrives, up to that many elements or that last element."""
    elements: list[Element] = []

    def complete() -> bool:
        elements.extend(drain(source))
        return len(elements) == until if isinstance(until, int) else until in elements

    drive(workers, complete)
    return elements


def test_elements_of_every_kind_arrive_in_order() -> None:
    with connected(2) as workers:
        output = workers[0].plane.output(5, 1)
        source = workers[1].plane.input(5, 0)
        sent: list[Element] = [
            RowBatch([("a", 1)], [10], ["a"]),
            Watermark(10),
            Barrier(1, 2),
            RowBatch(["x" * 1_000_000]),
            END_OF_INPUT,
        ]
        for element in sent:
            output.put(element)
        output.put(ColumnBatch(pa.record_batch({"v": [1]})))
        received = collect(workers, source, 6)
        assert received[:5] == sent
        last = received[5]
        assert isinstance(last, ColumnBatch)
        assert last.columns.to_pydict() == {"v": [1]}


def test_a_sender_is_available_only_while_the_receivers_credit_lasts() -> None:
    with connected(2, NetworkOptions(window_batches=4)) as workers:
        output = workers[1].plane.output(1, 0)
        for _ in range(20):
            for worker in workers:
                worker.turn()
        before = output.available
        source = workers[0].plane.input(1, 1)
        drive(workers, lambda: output.available)
        sent = 0
        while output.available:
            output.put(RowBatch([sent]))
            output.put(Watermark(sent))
            sent += 1
        assert (before, sent) == (False, 4)
        for _ in range(20):
            for worker in workers:
                worker.turn()
        stopped = not output.available
        assert stopped
        assert drain(source)[0] == RowBatch([0])
        drive(workers, lambda: output.available)


def test_a_step_may_put_more_than_the_credit_and_nothing_is_lost() -> None:
    with connected(2, NetworkOptions(window_batches=2)) as workers:
        output, source = workers[0].plane.output(1, 1), workers[1].plane.input(1, 0)
        for number in range(50):
            output.put(RowBatch([number]))
        received = collect(workers, source, 50)
        assert received == [RowBatch([number]) for number in range(50)]
        drive(workers, lambda: output.available)


def test_a_channel_that_nobody_reads_does_not_hold_up_the_others() -> None:
    with connected(2, NetworkOptions(window_batches=2)) as workers:
        stuck, flowing = workers[0].plane.output(1, 1), workers[0].plane.output(2, 1)
        unread, source = workers[1].plane.input(1, 0), workers[1].plane.input(2, 0)
        drive(workers, lambda: stuck.available and flowing.available)
        while stuck.available:
            stuck.put(RowBatch(["x" * 900_000]))
        received = sent = 0
        while received < 100:
            if flowing.available:
                flowing.put(RowBatch([sent]))
                sent += 1
            for worker in workers:
                worker.turn()
            received += len(drain(source))
        assert not stuck.available
        assert len(drain(unread)) == 2


@settings(max_examples=25)
@given(st.data())
def test_order_holds_in_every_channel_however_the_work_is_interleaved(data: st.DataObject) -> None:
    with connected(3, NetworkOptions(window_batches=3)) as workers:
        routes = [
            (sender, receiver, channel) for sender in range(3) for receiver in range(3) for channel in (1, 2)
        ]
        routes = [route for route in routes if route[0] != route[1]]
        outputs = {
            (sender, receiver, channel): workers[sender].plane.output(10 * sender + channel, receiver)
            for sender, receiver, channel in routes
        }
        sources: dict[tuple[int, int, int], InputChannel] = {}
        sent: dict[tuple[int, int, int], list[Element]] = {route: [] for route in routes}
        received: dict[tuple[int, int, int], list[Element]] = {route: [] for route in routes}
        actions = st.tuples(st.sampled_from(["put", "mark", "poll", "turn", "open"]), st.sampled_from(routes))
        for action, route in data.draw(st.lists(actions, max_size=120)):
            match action:
                case "put" if outputs[route].available:
                    sent[route].append(RowBatch([len(sent[route])] * 100))
                    outputs[route].put(sent[route][-1])
                case "mark":
                    sent[route].append(Watermark(len(sent[route])))
                    outputs[route].put(sent[route][-1])
                case "open":
                    sources[route] = workers[route[1]].plane.input(10 * route[0] + route[2], route[0])
                case "poll" if route in sources and (element := sources[route].poll()) is not None:
                    received[route].append(element)
                case "turn":
                    workers[route[0]].turn()
        for route in routes:
            source = sources.get(route) or workers[route[1]].plane.input(10 * route[0] + route[2], route[0])
            missing = len(sent[route]) - len(received[route])
            received[route] += collect(workers, source, missing)
            assert received[route] == sent[route]


def test_opening_a_channel_twice_does_not_change_what_it_yields() -> None:
    with connected(2) as workers:
        output = workers[0].plane.output(1, 1)
        output.put(Watermark(1))
        first = workers[1].plane.input(1, 0)
        drive(workers, lambda: first.has_data)
        assert workers[1].plane.input(1, 0) is first


def test_a_spooled_channel_gives_its_credit_back_at_once(tmp_path: Path) -> None:
    with connected(2, NetworkOptions(window_batches=2)) as workers:
        output = workers[0].plane.output(1, 1)
        output.put(Watermark(-1))  # arrives before anybody knows that it goes to a spool
        for _ in range(10):
            for worker in workers:
                worker.turn()
        spool = SpoolChannel(SpoolMemory(10_000), directory=str(tmp_path))
        source = workers[1].plane.input(1, 0, spool)
        assert source is spool
        for number in range(100):
            drive(workers, lambda: output.available)
            output.put(RowBatch([number] * 1000))
        output.put(END_OF_INPUT)
        drive(workers, lambda: spool.ended)
        assert spool.spilled_bytes > 100_000
        expected = [Watermark(-1), *(RowBatch([number] * 1000) for number in range(100)), END_OF_INPUT]
        assert drain(source) == expected
        assert spool.spilled_bytes == 0


def test_a_batch_over_the_frame_limit_is_sent_in_parts() -> None:
    with connected(2, NetworkOptions(max_frame_bytes=5_000)) as workers:
        output, source = workers[0].plane.output(1, 1), workers[1].plane.input(1, 0)
        values = [f"{number:05}" for number in range(5_000)]
        output.put(RowBatch(values, list(range(5_000)), values))
        output.put(END_OF_INPUT)
        received: list[Any] = collect(workers, source, END_OF_INPUT)[:-1]
        assert len(received) > 5
        assert [value for batch in received for value in batch.values] == values
        assert [time for batch in received for time in batch.timestamps] == list(range(5_000))
        with pytest.raises(ProtocolError, match="max_frame_bytes"):
            output.put(RowBatch(["x" * 10_000]))


def test_a_peer_that_vanishes_is_reported_once_and_its_channels_fall_silent() -> None:
    with connected(2) as workers:
        output, source = workers[0].plane.output(1, 1), workers[0].plane.input(2, 1)
        workers[1].plane.output(2, 0).put(Watermark(7))
        drive(workers, lambda: source.has_data)
        vanish(workers[1])
        drive(workers[:1], lambda: workers[0].losses)
        workers[0].turn()
        assert [loss.peer for loss in workers[0].losses] == [1]
        assert "closed" in workers[0].losses[0].reason
        assert drain(source) == [Watermark(7)]
        assert not source.has_data
        assert not output.available
        output.put(RowBatch([1]))
        assert not workers[0].plane.output(9, 1).available


def test_a_peer_that_says_goodbye_is_not_lost_and_all_it_sent_arrives() -> None:
    with connected(2) as workers:
        output, source = workers[1].plane.output(1, 0), workers[0].plane.input(1, 1)
        output.put(RowBatch(["x" * 100_000]))
        output.put(END_OF_INPUT)
        wait = in_background(workers[1].plane.close)
        received = collect(workers[:1], source, END_OF_INPUT)
        drive(workers[:1], lambda: not workers[0].plane.connected)
        assert wait() is None
        assert received == [RowBatch(["x" * 100_000]), END_OF_INPUT]
        assert workers[0].losses == []


def test_a_peer_that_never_comes_is_reported_after_the_connect_timeout() -> None:
    worker = Worker(1, options=NetworkOptions(connect_timeout_s=0.02))
    try:
        worker.plane.connect({0: ("127.0.0.1", 1)})  # worker 0 would have to call
        timeout_s = worker.plane.timeout_s()
        assert timeout_s is not None
        assert timeout_s <= 0.02
        drive([worker], lambda: worker.losses)
        assert "did not connect" in worker.losses[0].reason
        assert worker.plane.timeout_s() is None
    finally:
        worker.close()


def test_a_peer_that_refuses_the_call_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    worker = Worker(0)
    try:
        worker.plane.connect({1: ("127.0.0.1", port)})
        drive([worker], lambda: worker.losses)
        assert worker.losses[0].peer == 1
    finally:
        worker.close()


def test_a_wrong_secret_is_refused_and_the_worker_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with connected(2) as workers:
        intruder = Worker(0, secret=b"guess")
        intruder.plane.connect({1: workers[1].plane.address})
        with caplog.at_level(logging.WARNING, logger="penstock.network.exchange"):
            drive([*workers, intruder], lambda: intruder.losses and "refused" in caplog.text)
        intruder.close()
        assert "secret" in caplog.text
        assert workers[1].losses == []
        workers[0].plane.output(1, 1).put(Watermark(3))
        source = workers[1].plane.input(1, 0)
        drive(workers, lambda: source.has_data)


def test_an_index_that_is_connected_already_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    with connected(2) as workers:
        double = Worker(0)
        double.plane.connect({1: workers[1].plane.address})
        with caplog.at_level(logging.WARNING, logger="penstock.network.exchange"):
            drive([*workers, double], lambda: double.losses)
        double.close()
        assert "was connected before" in caplog.text
        assert workers[1].plane.connected


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.0\r\n\r\n", bytes(10_000), b"P"])
def test_strangers_cost_one_log_line_each(garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with connected(2) as workers, socket.create_connection(workers[1].plane.address) as stranger:
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        with caplog.at_level(logging.WARNING, logger="penstock.network.exchange"):
            drive(workers, lambda: caplog.records)
            for _ in range(5):
                workers[1].turn()
        assert len(caplog.records) == 1
        assert "refused a connection from 127.0.0.1" in caplog.text
        assert workers[1].plane.connected


def test_a_slow_stranger_is_refused_when_its_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(1, options=NetworkOptions(handshake_timeout_s=0.02))
    try:
        with socket.create_connection(worker.plane.address) as stranger:
            stranger.sendall(b"PENSTOCK")
            with caplog.at_level(logging.WARNING, logger="penstock.network.exchange"):
                drive([worker], lambda: caplog.records)
        assert "within 0.02 s" in caplog.text
    finally:
        worker.close()


def test_a_crowd_of_strangers_is_turned_away_at_the_door(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(1)
    crowd = [socket.create_connection(worker.plane.address) for _ in range(80)]
    try:
        with caplog.at_level(logging.WARNING, logger="penstock.network.exchange"):
            drive([worker], lambda: len(caplog.records) == 80 - 64)
        assert "64 others" in caplog.text
    finally:
        for stranger in crowd:
            stranger.close()
        worker.close()


@in_a_process_of_its_own
def test_no_descriptor_stays_open() -> None:
    before = open_descriptors()
    with connected(3) as workers:
        workers[0].plane.output(1, 1).put(RowBatch(["x" * 3_000_000]))
        stranger = socket.create_connection(workers[2].plane.address)
        workers[2].turn()
        assert open_descriptors() > before
    stranger.close()
    assert open_descriptors() == before


def test_a_channel_to_the_worker_itself_is_refused() -> None:
    worker = Worker(0)
    try:
        with pytest.raises(ProgramError, match="InProcessChannel"):
            worker.plane.output(1, 0)
    finally:
        worker.close()


def test_what_still_comes_for_a_channel_of_an_earlier_attempt_is_not_taken_for_the_next() -> None:
    old, new = channel_number(3, 0), channel_number(3, 1)
    with connected(2) as workers:
        sender, receiver = workers[0].plane, workers[1].plane
        output, source = sender.output(old, 1), receiver.input(old, 0)
        drive(workers, lambda: output.available)
        output.put(RowBatch(["old"]))
        receiver.forget([(old, 0)], [])
        early = sender.output(new, 1)  # the sender is quicker
        early.put(RowBatch(["new"]))
        for _ in range(20):
            for worker in workers:
                worker.turn()
        assert drain(source) == []
        assert collect(workers, receiver.input(new, 0), 1) == [RowBatch(["new"])]
        # The credit of the earlier attempt is none of the next.
        sender.forget([(old, 1)], [])
        assert sender.output(new, 1) is early


def test_another_worker_may_come_in_the_place_of_one_that_has_died() -> None:
    with connected(2) as workers:
        first, dead = workers
        kept = first.plane.input(1, 1)
        vanish(dead)
        drive([first], lambda: first.losses)
        first.plane.forget([(1, 1)], [1])
        other = Worker(1)
        try:
            other.plane.connect({0: first.plane.address})
            first.plane.connect({1: other.plane.address})
            output, source = (
                other.plane.output(channel_number(1, 1), 0),
                first.plane.input(channel_number(1, 1), 1),
            )
            drive([first, other], lambda: output.available)
            output.put(RowBatch(["again"]))
            assert collect([first, other], source, 1) == [RowBatch(["again"])]
            assert drain(kept) == []
        finally:
            other.close()


def test_the_bytes_of_batches_that_cross_are_counted_at_both_ends() -> None:
    with connected(2) as workers:
        output = workers[0].plane.output(5, 1)
        source = workers[1].plane.input(5, 0)
        output.put(Watermark(10))
        output.put(Barrier(1, 2))
        assert output.sent_bytes == 0, "signals are no batches"
        output.put(RowBatch(["x" * 1_000]))
        once = output.sent_bytes
        assert 1_000 < once < 1_200
        output.put(RowBatch(["x" * 1_000]))
        output.put(END_OF_INPUT)
        assert output.sent_bytes == 2 * once
        collect(workers, source, END_OF_INPUT)
        assert source.received_bytes == 2 * once


def test_what_is_spooled_at_the_receiver_is_counted_when_it_comes() -> None:
    with connected(2) as workers:
        output = workers[0].plane.output(5, 1)
        spool = SpoolChannel(SpoolMemory(0))
        workers[1].plane.input(5, 0, spool)
        output.put(RowBatch(["x" * 1_000]))
        output.put(END_OF_INPUT)
        drive(workers, lambda: spool.ended)
        assert spool.received_bytes == output.sent_bytes > 1_000


def test_within_a_process_no_bytes_cross() -> None:
    channel = InProcessChannel(4)
    channel.put(RowBatch(["x" * 1_000]))
    assert (channel.sent_bytes, channel.received_bytes) == (0, 0)
