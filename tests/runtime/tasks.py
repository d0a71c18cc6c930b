"""Tasks without a job around them: a chain of one function that keeps nothing, and what it gives of its checkpoints."""

from typing import Any

from penstock.clock import SYSTEM_CLOCK
from penstock.errors import PenstockError
from penstock.ids import SubtaskId
from penstock.metrics.kinds import MetricGroup
from penstock.operators.contract import OperatorSnapshot
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.row_chain import RowChainSpec, RowStep
from penstock.runtime.task.chain import OperatorChain, TaskEnvironment
from penstock.runtime.task.in_flight import InFlight
from penstock.runtime.task.tasklet import Tasklet
from penstock.runtime.task.timekeeping import DueCalls
from penstock.runtime.worker.state_access import StateAccess
from tests.runtime.graphs import vertex


class Writes:
    """Keeps what a task gives of its checkpoints."""

    def __init__(self) -> None:
        self.in_flight: dict[int, list[Any]] = {}
        self.own: dict[int, Any] = {}  # of the head

    def stands(self, subtask: SubtaskId, checkpoint_id: int) -> None:
        pass

    def taken(self, task: Tasklet, checkpoint_id: int, snapshots: dict[str, OperatorSnapshot]) -> None:
        recorded = [each.own.channels for each in snapshots.values() if isinstance(each.own, InFlight)]
        self.in_flight[checkpoint_id] = recorded
        self.own[checkpoint_id] = snapshots[task.chain.contexts[0].operator_id].own

    def declined(self, subtask: SubtaskId, checkpoint_id: int, error: PenstockError) -> None:
        raise error

    def waits(self, subtask: SubtaskId) -> None:
        pass


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
            processing_time=DueCalls(SYSTEM_CLOCK),
            metrics=MetricGroup(),
            current_watermark=lambda: 0,
            send_to_client=lambda collector, rows: None,
            source_link=None,
            coroutines=Coroutines(),
            feedback=FeedbackLoops(),
            make_keyed_state=state.keyed,
            make_operator_state=state.operator,
        ),
        [],
    )
