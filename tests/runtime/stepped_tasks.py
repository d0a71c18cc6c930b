"""Tasks made by hand: one chain between channels of one process, stepped by the test."""

from typing import Any

from penstock.clock import Clock, ManualClock
from penstock.contracts.source import Boundedness, InputStatus, ReaderOutput, Source, SourceReader
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.elements import Element
from penstock.dataflow.job import ChainedOperator, JobVertex
from penstock.ids import VertexId
from penstock.metrics.kinds import MetricGroup
from penstock.network.in_process import InProcessChannel
from penstock.network.key_grouping import KeyGrouping
from penstock.network.partitioners import ForwardPartitioner
from penstock.operators.contract import OperatorContext, OperatorSpec
from penstock.operators.coroutines import Coroutines
from penstock.operators.feedback_loops import FeedbackLoops
from penstock.operators.source import SourceSpec
from penstock.runtime.task.chain import EdgeTarget, OperatorChain, TaskEnvironment
from penstock.runtime.task.edge_output import EdgeOutput
from penstock.runtime.task.input_gate import InputGate
from penstock.runtime.task.progress import Progress
from penstock.runtime.task.tasklet import GroupedTasklet, OperatorTasklet, SourceTasklet, Tasklet
from penstock.runtime.task.timekeeping import DueCalls
from penstock.runtime.worker.state_access import StateAccess

MANY = 10_000


class TaskByHand:
    """``specs`` are chained; the first is a source, or reads ``channels``, which its ports have in turn.

    The last writes to a channel with room for ``capacity`` batches. With ``grouping`` it is keyed input of BATCH mode.
    """

    def __init__(
        self,
        *specs: OperatorSpec,
        clock: Clock | None = None,
        capacity: int = MANY,
        channels: int = 1,
        buffer_timeout_ms: int = 100,
        grouping: KeyGrouping | None = None,
    ) -> None:
        self.clock = ManualClock(1_000) if clock is None else clock
        self.inputs = [InProcessChannel(MANY) for _ in range(channels)]
        self.output = InProcessChannel(capacity)
        subtask = SubtaskOf(specs)
        self.chain = OperatorChain(
            _environment(subtask.vertex, self.clock),
            [EdgeTarget(len(specs) - 1, None, self._edge)],
        )
        self.task: Tasklet
        if isinstance(specs[0], SourceSpec):
            self.task = SourceTasklet(subtask.id, "task", self.chain, buffer_timeout_ms)
        else:
            gate = InputGate([(index % specs[0].ports, each) for index, each in enumerate(self.inputs)])
            named = (subtask.id, "task", self.chain, buffer_timeout_ms, gate)
            self.task = OperatorTasklet(*named) if grouping is None else GroupedTasklet(*named, grouping)
        self.task.open()
        self.task.start()

    def _edge(self, context: OperatorContext) -> EdgeOutput:
        return EdgeOutput(context, [self.output], ForwardPartitioner(), None, 100)

    def put(self, *elements: Element, channel: int = 0) -> None:
        """Let something come in."""
        for element in elements:
            self.inputs[channel].put(element)

    def step(self) -> Progress:
        """One step."""
        return self.task.step()

    def take(self) -> list[Any]:
        """What has come out since: records one by one, and signals."""
        found: list[Any] = []
        while (element := self.output.poll()) is not None:
            found.extend(getattr(element, "values", [element]))
        return found

    def run(self) -> list[Any]:
        """Step until there is nothing more to do at once; what has come out."""
        found: list[Any] = []
        while (progress := self.step()) in (Progress.MORE, Progress.BLOCKED):
            taken = self.take()
            assert taken or progress is Progress.MORE, "there was room, and it was said that there was none"
            found += taken
        assert progress in (Progress.IDLE, Progress.DONE)
        return found + self.take()


class SubtaskOf:
    """The only subtask of a vertex of chained operators."""

    def __init__(self, specs: tuple[OperatorSpec, ...]) -> None:
        operators = tuple(
            ChainedOperator(
                f"{index:032}", f"operator {index}", spec, input_index=index - 1 if index else None
            )
            for index, spec in enumerate(specs)
        )
        self.vertex = JobVertex(VertexId(0), "task", operators, 1, 128, "default", 100)
        self.id = next(iter(self.vertex.subtasks()))


def _environment(vertex: JobVertex, clock: Clock) -> TaskEnvironment:
    state = StateAccess({}, clock)
    return TaskEnvironment(
        job_id="job",
        vertex=vertex,
        subtask_index=0,
        attempt=0,
        batch_mode=False,
        settings={},
        clock=clock,
        processing_time=DueCalls(clock),
        metrics=MetricGroup(),
        current_watermark=lambda: 0,
        send_to_client=lambda collector, rows: None,
        source_link=NoLink(),
        coroutines=Coroutines(),
        feedback=FeedbackLoops(),
        make_keyed_state=state.keyed,
        make_operator_state=state.operator,
    )


class NoLink:
    """A reader's way to an enumerator that is not there."""

    def send_split_request(self) -> None:
        pass

    def send_source_event(self, event: Any) -> None:
        pass

    def wake_up(self) -> None:
        pass


class ByHand(Source):
    """A source whose polls the test does: each calls the next function of ``polls`` with the reader's output.

    Between the polls that a test has given there is nothing; ``None`` among them is the end.
    """

    def __init__(self) -> None:
        self.polls: list[Any] = []

    def with_strategy(self, strategy: WatermarkStrategy | None = None) -> SourceSpec:
        """The operator of it."""
        return SourceSpec(self, strategy or WatermarkStrategy.no_watermarks())

    def get_boundedness(self) -> Boundedness:
        return Boundedness.CONTINUOUS_UNBOUNDED

    def create_enumerator(self, context: Any) -> Any:
        raise NotImplementedError

    def restore_enumerator(self, context: Any, state: Any) -> Any:
        raise NotImplementedError

    def create_reader(self, context: Any) -> SourceReader:
        return _Reader(self.polls)


class _Reader(SourceReader):
    def __init__(self, polls: list[Any]) -> None:
        self._polls = polls

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if not self._polls:
            return InputStatus.NOTHING_AVAILABLE
        poll = self._polls.pop(0)
        if poll is None:
            return InputStatus.END_OF_INPUT
        poll(output)
        return InputStatus.MORE_AVAILABLE

    def add_splits(self, splits: list[Any]) -> None:
        pass

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return []
