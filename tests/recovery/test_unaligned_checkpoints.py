"""Barriers that overtake records: what is on its way is part of the checkpoint, and comes again after a restore."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.checkpoint.handles import OperatorStateHandle, in_flight_id
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.restore_check import check_restore
from penstock.contracts.partitioning import (
    Broadcast,
    Custom,
    Forward,
    Global,
    Hash,
    Rebalance,
    Rescale,
    Shuffle,
)
from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier, Watermark
from penstock.data.keys import KeyRouter
from penstock.dataflow.job import ChainedOperator
from penstock.errors import StateError
from penstock.ids import SubtaskId, VertexId
from penstock.network.framing import Encoder
from penstock.network.in_process import InProcessChannel
from penstock.network.remote import RemoteInput
from penstock.operators.row_chain import RowChainSpec
from penstock.runtime.task.dealt_in_flight import Receivers, RecordedEdge, dealt_out
from penstock.runtime.task.in_flight import InFlight
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.tasklet import OperatorTasklet
from tests.recovery.test_jobs_start_again import EXPECTED, counted, environment, rows_of, script
from tests.runtime.graphs import line_of
from tests.runtime.tasks import Writes, reading_chain

UNALIGNED = {"execution.checkpointing.unaligned.enabled": "true"}
ONE = Barrier(1, 0)


def batch(*values: Any) -> RowBatch:
    return RowBatch(list(values))


class Gate:
    """A gate over two channels."""

    def __init__(self, in_order: frozenset[int] = frozenset()) -> None:
        self.channels = [InProcessChannel(8), InProcessChannel(8)]
        self.gate = InputGate([(0, channel) for channel in self.channels], in_order=in_order)

    def put(self, channel: int, *elements: Any) -> None:
        for element in elements:
            self.channels[channel].put(element)

    def read(self) -> list[Any]:
        found = []
        while (item := self.gate.next()) is not None:
            found.append(item[0].values[0] if isinstance(item, tuple) else item)
        return found


def test_what_waits_in_front_of_the_barrier_is_recorded_and_read_all_the_same() -> None:
    gate = Gate()
    gate.put(0, batch("a"), ONE, batch("c"))
    assert gate.gate.overtaking(0.0, 0.0) == ONE
    assert gate.gate.recorded() is None, "the barrier of the other channel is not there"
    gate.put(1, batch("b"))
    assert sorted(gate.read()) == ["a", "b", "c"], "nothing is blocked"
    gate.put(1, batch("d"), Watermark(5), ONE, batch("e"))
    assert gate.gate.recorded() == InFlight(((batch("a"),), (batch("b"), batch("d"), Watermark(5))))
    assert gate.gate.overtaking(1.0, 0.0) is None, "a barrier overtakes once"
    assert gate.read() == ["d", "e"]


def test_a_channel_that_ends_has_nothing_more_on_its_way() -> None:
    gate = Gate()
    gate.put(0, ONE)
    gate.put(1, batch("a"), END_OF_INPUT)
    assert gate.gate.overtaking(0.0, 0.0) == ONE
    assert gate.gate.recorded() == InFlight(((), (batch("a"),)))


def test_a_barrier_waits_as_long_as_it_is_to_be_patient_and_unblocks_then() -> None:
    gate = Gate()
    gate.put(0, ONE, batch("c"))
    assert gate.read() == []
    assert gate.gate.overtaking(10.0, 0.5) is None
    assert gate.gate.overtaking(10.4, 0.5) is None
    assert gate.gate.overtaking(10.5, 0.5) == ONE
    gate.put(1, batch("b"), ONE)
    assert gate.gate.recorded() == InFlight(((), (batch("b"),)))
    assert sorted(gate.read()) == ["b", "c"]


class Unpickled:
    """Counts how often one of it was unpickled."""

    times = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return (_unpickle, ())


def _unpickle() -> Unpickled:
    Unpickled.times += 1
    return Unpickled()


def test_what_waits_is_unpickled_when_all_barriers_have_come_and_not_at_each_step_before() -> None:
    Unpickled.times = 0
    channels = [RemoteInput(lambda granted: None, 8) for _ in range(2)]
    gate = InputGate([(0, channel) for channel in channels])
    for channel, element in ((0, ONE), (1, batch(Unpickled())), (1, Barrier(0, 0))):
        channels[channel].receive(*Encoder().encode(element))
    assert gate.overtaking(0.0, 0.0) == ONE
    assert [gate.recorded() for _ in range(100)] == [None] * 100
    assert Unpickled.times == 0
    channels[1].receive(*Encoder().encode(ONE))
    in_flight = gate.recorded()
    assert in_flight is not None
    assert [len(channel) for channel in in_flight.channels] == [0, 1]
    assert Unpickled.times == 1


def test_a_savepoint_overtakes_nothing() -> None:
    gate = Gate()
    gate.put(0, batch("a"), Barrier(1, 0, savepoint=True))
    assert gate.gate.overtaking(0.0, 0.0) is None


def test_what_was_on_its_way_comes_first_after_a_restore_and_is_recorded_again() -> None:
    gate = Gate()
    gate.gate.replay(InFlight(((batch("a"), batch("b")), ())))
    gate.put(0, batch("c"), ONE)
    gate.put(1, ONE)
    assert gate.gate.overtaking(0.0, 0.0) == ONE
    assert gate.gate.recorded() == InFlight(((batch("a"), batch("b"), batch("c")), ()))
    assert gate.read() == ["a", "b", "c"]


def test_a_checkpoint_that_is_given_up_is_recorded_no_further() -> None:
    gate = Gate()
    gate.put(0, ONE)
    gate.gate.overtaking(0.0, 0.0)
    gate.gate.abort(1)
    assert gate.gate.recorded_checkpoint is None


def test_a_barrier_overtakes_nothing_while_another_checkpoint_is_being_recorded() -> None:
    gate = Gate()
    gate.put(0, ONE, batch("a"), Barrier(2, 0))
    assert gate.gate.overtaking(0.0, 0.0) == ONE
    assert gate.gate.overtaking(0.0, 0.0) is None
    assert gate.gate.recorded_checkpoint == 1
    gate.put(1, batch("b"), ONE)
    assert gate.gate.recorded() == InFlight(((), (batch("b"),)))
    assert gate.gate.overtaking(0.0, 0.0) == Barrier(2, 0)


def test_a_savepoint_right_behind_an_unaligned_checkpoint_holds_nothing_of_what_that_has_recorded() -> None:
    gate, writes = Gate(), Writes()
    task = OperatorTasklet(SubtaskId(VertexId(0), 0), "reader", reading_chain(), 100, gate.gate)
    task.checkpoints, task.unaligned_after_s = writes, 0.0
    savepoint = Barrier(2, 0, savepoint=True)
    gate.put(0, ONE)
    gate.put(1, batch("a"))
    task.step()
    gate.put(0, savepoint)
    gate.put(1, ONE, savepoint)  # both are read in one step
    for _ in range(3):
        task.step()
    assert writes.in_flight == {1: [((), (batch("a"),))], 2: []}


@pytest.mark.parametrize("patience", ["0 ms", "5 ms"])
@pytest.mark.parametrize("parallelism", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_job_that_fails_three_times_has_every_row_exactly_once(
    parallelism: int, patience: str, tmp_path: Path
) -> None:
    options = {**UNALIGNED, "execution.checkpointing.aligned-checkpoint-timeout": patience}
    env = environment(parallelism, tmp_path, **options)
    assert rows_of(counted(env, script(tmp_path, 10, 11, 40))) == EXPECTED


def test_records_on_their_way_to_an_operator_that_is_gone_are_not_left_behind_silently() -> None:
    graph = line_of(1, 2)
    head = graph.vertices[1].head
    entry = in_flight_id("gone")
    handle = OperatorStateHandle(entry, "step, records in flight", 0, 3, 128, ())
    records = (
        OperatorRecord(head.id, head.name, 3, 128),
        OperatorRecord(entry, "step, records in flight", 3, 128, (handle,)),
    )
    saved = Manifest(1, 0, "job", "a job", operators={record.operator_id: record for record in records})
    with pytest.raises(StateError, match="records in flight"):
        check_restore(saved, graph, "/chk-1", allow_non_restored_state=False)
    check_restore(saved, graph, "/chk-1", allow_non_restored_state=True)


def test_records_on_their_way_to_an_operator_that_is_chained_now_are_refused_with_what_to_do() -> None:
    graph = line_of(1)
    second = ChainedOperator("second", "step", RowChainSpec(()), input_index=0)
    chained = replace(graph.vertices[0], operators=(graph.vertices[0].head, second))
    handle = OperatorStateHandle(in_flight_id("second"), "step, records in flight", 0, 3, 128, ())
    record = OperatorRecord(handle.operator_id, "step, records in flight", 3, 128, (handle,))
    saved = Manifest(1, 0, "job", "a job", operators={record.operator_id: record})
    with pytest.raises(StateError, match=r"chains that operator to its input.*start_new_chain"):
        check_restore(saved, replace(graph, vertices=(chained,)), "/chk-1", allow_non_restored_state=True)


def test_what_no_barrier_may_overtake_is_waited_for() -> None:
    gate = Gate(in_order=frozenset({1}))
    gate.put(0, batch("a"), ONE, batch("d"))
    gate.put(1, batch("b"))
    assert gate.gate.overtaking(0.0, 0.0) is None
    assert sorted(gate.read()) == ["a", "b"], "the channel that has brought its barrier waits"
    assert gate.gate.overtaking(0.0, 0.0) is None
    gate.put(1, ONE)
    assert gate.read() == [ONE, "d"]


def test_behind_its_barrier_what_is_in_order_does_not_keep_others_from_being_overtaken() -> None:
    gate = Gate(in_order=frozenset({1}))
    gate.put(1, ONE)
    gate.put(0, batch("a"))
    assert gate.gate.next() == (batch("a"), 0)
    assert gate.read() == []
    gate.put(0, batch("b"), ONE)
    assert gate.gate.overtaking(0.0, 0.0) == ONE
    assert gate.gate.recorded() == InFlight(((batch("b"),), ()))


def test_what_is_replayed_is_read_before_anything_new_of_any_channel() -> None:
    gate = Gate()
    gate.gate.replay(InFlight((((batch("a"), batch("b"))), ())))
    gate.put(1, batch("c"))
    gate.put(0, batch("d"))
    assert gate.read()[:2] == ["a", "b"]


# Dealt out at another parallelism ---------------------------------------------------------------------------------------

KEYED = Hash(len)


def keyed(*keys: int) -> RowBatch:
    return RowBatch([("row", key) for key in keys], None, list(keys))


def shares(
    recorded: list[InFlight | None], edges: list[RecordedEdge], before: int, now: int
) -> list[list[list[Any]]]:
    """For each new subtask the values on each of its channels."""
    return [
        [
            [value for each in channel if isinstance(each, RowBatch) for value in each.values]
            for channel in dealt_out(recorded, edges, Receivers(before, now, mine, 128)).channels
        ]
        for mine in range(now)
    ]


@given(st.lists(st.lists(st.integers(0, 50), max_size=8), min_size=4, max_size=4), st.integers(1, 5))
def test_records_by_key_go_where_their_keys_are_and_none_is_lost(keys: list[list[int]], now: int) -> None:
    """Two senders, two receivers; whatever lies where, each key goes to its subtask, in the order of its channel."""
    router = KeyRouter(128, now)
    recorded: list[InFlight | None] = [
        InFlight(((keyed(*keys[0]),), (keyed(*keys[1]), Watermark(3)))),
        InFlight(((keyed(*keys[2]),), (keyed(*keys[3]),))),
    ]
    given = shares(recorded, [RecordedEdge(KEYED, 2, 3)], 2, now)
    everything = [key for each in keys for key in each]
    for mine, channels in enumerate(given):
        assert len(channels) == 3
        mine_of_all = [key for key in everything if router.subtask_of(key) == mine]
        assert [key for channel in channels for _, key in channel] == mine_of_all


def test_where_any_subtask_will_do_batches_are_dealt_out_whole() -> None:
    recorded: list[InFlight | None] = [InFlight(((batch(index),),)) for index in range(3)]
    for partitioning in (Rebalance(), Shuffle()):
        assert shares(recorded, [RecordedEdge(partitioning, 1, 1)], 3, 2) == [[[0, 2]], [[1]]]
        assert shares(recorded, [RecordedEdge(partitioning, 1, 1)], 3, 4) == [[[0]], [[1]], [[2]], [[]]]


def test_what_goes_to_the_first_subtask_stays_with_it_and_a_function_chooses_again() -> None:
    assert shares([InFlight(((batch(1),),)), None], [RecordedEdge(Global(), 1, 1)], 2, 3) == [
        [[1]],
        [[]],
        [[]],
    ]
    by_rest = Custom(lambda key, partitions: key % partitions, lambda value: value)
    recorded: list[InFlight | None] = [InFlight(((batch(0, 2, 4),),)), InFlight(((batch(1, 3, 5),),))]
    given = shares(recorded, [RecordedEdge(by_rest, 1, 1)], 2, 3)
    assert given == [[[0, 3]], [[4, 1]], [[2, 5]]]


def test_at_the_same_parallelism_everything_stays_on_its_channel() -> None:
    recorded: list[InFlight | None] = [
        InFlight(((batch(1), Watermark(3)), (batch(2),))),
        InFlight(((), (batch(3),))),
    ]
    edges = [RecordedEdge(Forward(), 2, 2), RecordedEdge(Rebalance(), 1, 1)]
    assert [dealt_out(recorded, edges, Receivers(2, 2, mine, 128)) for mine in (0, 1)] == recorded


def test_each_input_is_dealt_out_as_its_own_exchange_says() -> None:
    edges = [RecordedEdge(KEYED, 1, 2), RecordedEdge(Broadcast(), 1, 2)]
    recorded: list[InFlight | None] = [InFlight(((keyed(1, 2, 3),), ()))]
    given = shares(recorded, edges, 1, 2)
    assert [len(channels) for channels in given] == [4, 4]
    assert sorted(key for channels in given for _, key in channels[0]) == [1, 2, 3]


@pytest.mark.parametrize("partitioning", [Forward(), Broadcast(), Rescale()])
def test_what_cannot_be_dealt_out_is_refused_by_the_name_of_its_exchange(partitioning: Any) -> None:
    name = type(partitioning).__name__.lower()
    edge = RecordedEdge(partitioning, 2 if name == "forward" else 1, 3)
    with pytest.raises(StateError, match=f"over a {name} exchange"):
        dealt_out([InFlight(((batch(1),),)), None], [edge], Receivers(2, 3, 0, 128))


def test_exchanges_that_have_changed_are_told() -> None:
    with pytest.raises(StateError, match="its exchanges have changed"):
        dealt_out([InFlight(((), ()))], [RecordedEdge(KEYED, 1, 1)], Receivers(1, 2, 0, 128))


def test_giving_a_newer_checkpoint_up_leaves_what_an_older_one_records() -> None:
    gate = Gate()
    gate.put(0, ONE)
    gate.gate.overtaking(0.0, 0.0)
    gate.gate.abort(2)
    gate.put(1, batch("a"), ONE)
    assert gate.gate.recorded() == InFlight(((), (batch("a"),)))
