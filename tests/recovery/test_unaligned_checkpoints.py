"""Barriers that overtake records: what is on its way is part of the checkpoint, and comes again after a restore."""

from pathlib import Path
from typing import Any

import pytest

from penstock.checkpoint.handles import OperatorStateHandle, in_flight_id
from penstock.checkpoint.manifest import Manifest, OperatorRecord
from penstock.checkpoint.restore_check import check_restore
from penstock.clock import SYSTEM_CLOCK
from penstock.data.batch import RowBatch
from penstock.data.elements import END_OF_INPUT, Barrier, Watermark
from penstock.errors import PenstockError, StateError
from penstock.ids import SubtaskId, VertexId
from penstock.metrics.kinds import MetricGroup
from penstock.network.in_process import InProcessChannel
from penstock.operators.contract import OperatorSnapshot
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.chain import OperatorChain, TaskEnvironment
from penstock.runtime.task.in_flight import InFlight
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.tasklet import OperatorTasklet, Tasklet
from penstock.runtime.task.timekeeping import WorkerTime
from penstock.runtime.worker.state_access import StateAccess
from tests.recovery.test_jobs_start_again import EXPECTED, counted, environment, rows_of, script
from tests.runtime.graphs import line_of, vertex

UNALIGNED = {"execution.checkpointing.unaligned.enabled": "true"}
ONE = Barrier(1, 0)


def batch(*values: Any) -> RowBatch:
    return RowBatch(list(values))


class Gate:
    """A gate over two channels."""

    def __init__(self) -> None:
        self.channels = [InProcessChannel(8), InProcessChannel(8)]
        self.gate = InputGate([(0, channel) for channel in self.channels])

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


class Writes:
    """Keeps what a task gives of its checkpoints."""

    def __init__(self) -> None:
        self.in_flight: dict[int, list[Any]] = {}

    def stands(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        pass

    def taken(self, task: Tasklet, checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        recorded = [each.own.channels for each in snapshots.values() if isinstance(each.own, InFlight)]
        self.in_flight[checkpoint_id] = recorded

    def declined(self, subtask: SubtaskId, checkpoint_id: int, error: PenstockError) -> None:
        raise error

    def waits(self, subtask: SubtaskId) -> None:
        pass


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


def reading_chain() -> OperatorChain:
    """One function that keeps nothing, and no outputs."""
    step = vertex(0, RowChainSpec((RowStep("map", lambda x: x, "step"),)))
    state = StateAccess({}, SYSTEM_CLOCK)
    return OperatorChain(
        TaskEnvironment(
            job_id="job",
            vertex=step,
            subtask_index=0,
            attempt=0,
            batch_mode=False,
            settings={},
            clock=SYSTEM_CLOCK,
            processing_time=WorkerTime(SYSTEM_CLOCK),
            metrics=MetricGroup(),
            current_watermark=lambda: 0,
            send_to_client=lambda collector, rows: None,
            source_link=None,
            coroutines=Coroutines(),
            feedback=FeedbackLoops(),
            make_keyed_state=state.keyed,
            make_operator_state=state.operator,
            make_timers=state.timers,
        ),
        [],
    )


@pytest.mark.parametrize("patience", ["0 ms", "5 ms"])
@pytest.mark.parametrize("parallelism", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_job_that_fails_three_times_has_every_row_exactly_once(
    parallelism: int, patience: str, tmp_path: Path
) -> None:
    options = {**UNALIGNED, "execution.checkpointing.aligned-checkpoint-timeout": patience}
    env = environment(parallelism, tmp_path, **options)
    assert rows_of(counted(env, script(tmp_path, 10, 11, 40))) == EXPECTED


def test_records_on_their_way_are_not_dealt_out_at_another_parallelism() -> None:
    graph = line_of(1, 2)
    head = graph.vertices[1].head
    handle = OperatorStateHandle(in_flight_id(head.id), "step, records in flight", 0, 3, 128, ())
    records = (
        OperatorRecord(head.id, head.name, 3, 128),
        OperatorRecord(in_flight_id(head.id), "step, records in flight", 3, 128, (handle,)),
    )
    saved = Manifest(1, 0, "job", "a job", operators={record.operator_id: record for record in records})
    with pytest.raises(StateError, match="records that were on their way"):
        check_restore(saved, graph, "/chk-1", allow_non_restored_state=False)
