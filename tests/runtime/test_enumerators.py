"""What enumerators have done beside the coordinator: one piece of work after the other, and none of it after their end."""

from typing import Any

from penstock.clock import ManualClock
from penstock.contracts.source import (
    Boundedness,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.operators.source import SourceSpec
from penstock.runtime.background import Background, Then, Work
from penstock.runtime.coordination.split_assignment import SplitAssignment
from tests.runtime.graphs import line_of


class Later(Background):
    """Does work when the test says so."""

    def __init__(self, name: str, wake_up: Any) -> None:
        super().__init__(name, wake_up, threaded=False)
        self.waiting: list[tuple[Work, Then]] = []

    def submit(self, work: Work, then: Then) -> None:
        self.waiting.append((work, then))

    def do_one(self) -> None:
        work, then = self.waiting.pop(0)
        super().submit(work, then)


class Looks(SplitEnumerator):
    """Looks for something every 10 ms."""

    def __init__(self, context: SplitEnumeratorContext) -> None:
        self._context = context
        self.begun = 0
        self.found: list[Any] = []

    def start(self) -> None:
        self._context.call_at_interval(self._look, lambda result, error: self.found.append(result), 10)

    def _look(self) -> int:
        self.begun += 1
        return self.begun

    def handle_split_request(self, subtask: int) -> None:
        pass

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        pass

    def snapshot_state(self, checkpoint_id: int) -> Any:
        return None


class LookingSource(Source):
    def __init__(self) -> None:
        self.made: list[Looks] = []

    def get_boundedness(self) -> Boundedness:
        return Boundedness.BOUNDED

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        self.made.append(Looks(context))
        return self.made[-1]

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        return self.create_enumerator(context)

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        raise NotImplementedError


class Enumerators:
    """The enumerators of a job whose time and work move when the test says so."""

    def __init__(self) -> None:
        source = LookingSource()
        self.clock = ManualClock()
        self.threads: list[Later] = []
        graph = line_of(1, source=SourceSpec(source, WatermarkStrategy.no_watermarks()))
        self.splits = SplitAssignment(
            graph, lambda subtask, message: None, lambda: None, self.clock, None, self._new_thread
        )
        self.splits.start()
        self.enumerator = source.made[0]

    def _new_thread(self, name: str, wake_up: Any) -> Background:
        self.threads.append(Later(name, wake_up))
        return self.threads[-1]

    def pass_ms(self, milliseconds: int) -> None:
        for _ in range(milliseconds):
            self.clock.advance(1)
            self.splits.turn()


def test_what_takes_longer_than_its_interval_is_not_begun_a_second_time_meanwhile() -> None:
    job = Enumerators()
    job.pass_ms(35)
    [thread] = job.threads
    assert len(thread.waiting) == 1
    thread.do_one()
    job.pass_ms(10)
    assert job.enumerator.found == [1]
    assert len(thread.waiting) == 1
    thread.do_one()
    job.splits.turn()
    assert job.enumerator.found == [1, 2]


def test_what_is_found_after_the_end_of_the_enumerator_is_given_to_nobody() -> None:
    job = Enumerators()
    job.splits.close()
    job.threads[0].do_one()
    job.pass_ms(30)
    assert job.enumerator.found == []
    assert job.threads[0].waiting == []
