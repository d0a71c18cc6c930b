"""Runs the enumerators of a job's sources, beside the coordinator."""

import pickle
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from penstock.clock import SYSTEM_CLOCK, Clock
from penstock.contracts.source import SplitEnumerator
from penstock.data import code_pickle
from penstock.dataflow.job import JobGraph, JobVertex
from penstock.errors import PenstockError, ProgramError, StateError, UserCodeError
from penstock.ids import SubtaskId, VertexId
from penstock.operators.alignment import WatermarkLimit, WatermarkReport
from penstock.operators.source import SourceSpec
from penstock.operators.user_code import user_line
from penstock.runtime.background import Background, MakeBackground
from penstock.runtime.coordination.assigned_splits import AssignedSplits
from penstock.runtime.coordination.watermark_alignment import AlignmentGroups
from penstock.runtime.messages import (
    AssignSplits,
    FromReader,
    FromWorker,
    NoMoreSplits,
    ReaderStarted,
    SplitRequested,
    ToReader,
    ToWorker,
)
from penstock.runtime.task.timekeeping import DueCalls

Then = Callable[[Any, BaseException | None], None]


class SplitAssignment:
    """All enumerators of one job. ``send(subtask, message)`` reaches a reader; ``wake_up`` has :meth:`turn` called soon."""

    def __init__(
        self,
        graph: JobGraph,
        send: Callable[[SubtaskId, ToWorker], None],
        wake_up: Callable[[], None],
        clock: Clock = SYSTEM_CLOCK,
        restored: Mapping[str, bytes] | None = None,
        make_background: MakeBackground = Background,
    ) -> None:
        self._restored = dict(restored or {})
        self._time = DueCalls(clock)
        self._send = send
        self._alignment = AlignmentGroups(graph.vertices)
        self._contexts = {
            vertex.id: _EnumeratorContext(vertex, graph.settings, send, wake_up, self._time, make_background)
            for vertex in graph.vertices
            if isinstance(vertex.head.spec, SourceSpec)
        }

    def start(self) -> None:
        """Make and start every enumerator."""
        for context in self._contexts.values():
            context.guard(partial(context.start, self._restored))

    def snapshot(self, checkpoint_id: int) -> dict[str, bytes]:
        """The pickled state of every enumerator, by operator.

        A barrier must be sent to the readers after this and before anything that an enumerator sends later: what it has
        handed out up to now is in the readers' snapshots, what it still has is in its own.
        """
        states: dict[str, bytes] = {}
        for context in self._contexts.values():
            context.guard(partial(context.save, checkpoint_id, states))
        return states

    def checkpoint_completed(self, checkpoint_id: int) -> None:
        """Tell every enumerator that wants to know."""
        for context in self._contexts.values():
            context.guard(partial(context.completed, checkpoint_id))

    def reset(self, subtasks: Iterable[SubtaskId], checkpoint_id: int) -> None:
        """Some readers start again from a checkpoint, 0 for none: their enumerators get back what it does not hold."""
        for subtask in sorted(subtasks):
            if subtask.vertex in self._contexts:
                context = self._contexts[subtask.vertex]
                context.guard(partial(context.take_back, subtask.index, checkpoint_id))
        self._alignment.forget(subtasks)

    def handle(self, message: FromWorker) -> bool:
        """Give a message of a reader to its enumerator; says whether it was one."""
        match message:
            case ReaderStarted(subtask):
                self._guard(subtask.vertex, lambda context: context.add_reader(subtask.index))
                known = self._alignment.limit_of(subtask)
                if known is not None:
                    self._send(subtask, ToReader(subtask, WatermarkLimit(known)))
            case SplitRequested(subtask):
                self._guard(
                    subtask.vertex, lambda context: context.enumerator.handle_split_request(subtask.index)
                )
            case FromReader(subtask, WatermarkReport(watermark)):
                for reader, limit in self._alignment.report(subtask, watermark):
                    self._send(reader, ToReader(reader, WatermarkLimit(limit)))
            case FromReader(subtask, event):
                self._guard(
                    subtask.vertex,
                    lambda context: context.enumerator.handle_source_event(subtask.index, event),
                )
            case _:
                return False
        return True

    def turn(self) -> None:
        """Deliver what threads have found, and start what is due."""
        self._time.fire()
        for context in self._contexts.values():
            context.guard(context.deliver)

    def next_ms(self) -> int | None:
        """When :meth:`turn` has something to start."""
        return self._time.next_ms()

    def close(self) -> None:
        """Close every enumerator."""
        for context in self._contexts.values():
            context.close()

    def _guard(self, vertex: VertexId, action: Callable[["_EnumeratorContext"], None]) -> None:
        context = self._contexts[vertex]
        context.guard(lambda: action(context))


class _EnumeratorContext:
    """What one enumerator may ask, and where it is kept."""

    def __init__(
        self,
        vertex: JobVertex,
        settings: dict[str, str],
        send: Callable[[SubtaskId, ToWorker], None],
        wake_up: Callable[[], None],
        time: DueCalls,
        make_background: MakeBackground,
    ) -> None:
        self._make_background = make_background
        self._vertex = vertex
        self._settings = settings
        self._send = send
        self._wake_up = wake_up
        self._time = time
        self._readers: list[int] = []
        self._assigned = AssignedSplits()
        self._background: Background | None = None
        self._enumerator: SplitEnumerator | None = None
        self._closed = False

    @property
    def enumerator(self) -> SplitEnumerator:
        """The enumerator, once it was started."""
        if self._enumerator is None:
            raise ProgramError(f"the enumerator of {self._vertex.name!r} did not start")
        return self._enumerator

    def start(self, restored: dict[str, bytes]) -> None:
        spec = self._vertex.head.spec
        assert isinstance(spec, SourceSpec)
        saved = restored.get(self._vertex.head.id)
        if saved is None:
            self._enumerator = spec.source.create_enumerator(self)
        else:
            state = pickle.loads(saved)  # written by this job, or given by the user as a savepoint to trust
            self._enumerator = spec.source.restore_enumerator(self, state)
        self._enumerator.start()

    def save(self, checkpoint_id: int, states: dict[str, bytes]) -> None:
        state = self.enumerator.snapshot_state(checkpoint_id)
        self._assigned.triggered(checkpoint_id)
        try:
            states[self._vertex.head.id] = pickle.dumps(state, 5)
        except Exception as error:  # noqa: BLE001  (whatever a class raises while it is pickled)
            try:
                states[self._vertex.head.id] = code_pickle.dumps(state)
            except Exception:  # noqa: BLE001  (the first error says more)
                raise StateError(f"the state of the split enumerator cannot be pickled: {error}") from error

    def completed(self, checkpoint_id: int) -> None:
        self._assigned.completed(checkpoint_id)
        self.enumerator.notify_checkpoint_complete(checkpoint_id)

    def guard(self, action: Callable[[], None]) -> None:
        """Run code of the source; what it raises names the source."""
        try:
            action()
        except PenstockError as error:
            raise error.at(self._place) from error.__cause__
        except Exception as error:
            where = user_line(error.__traceback__)
            at = f" at {where}" if where else ""
            wrapped = UserCodeError(f"{type(error).__name__}: {error}{at}")
            raise wrapped.at(self._place) from error

    @property
    def _place(self) -> str:
        origin = self._vertex.head.origin
        return f"in the split enumerator of {self._vertex.head.name!r}" + (
            f", made at {origin}" if origin else ""
        )

    def add_reader(self, subtask: int) -> None:
        self._readers.append(subtask)
        self.enumerator.add_reader(subtask)

    def take_back(self, subtask: int, checkpoint_id: int) -> None:
        if subtask in self._readers:
            self._readers.remove(subtask)
        self.enumerator.add_splits_back(self._assigned.take_back(subtask, checkpoint_id), subtask)

    def deliver(self) -> None:
        if self._background is not None:
            self._background.deliver()

    def close(self) -> None:
        self._closed = True
        if self._background is not None:
            self._background.close()
        if self._enumerator is not None:
            self._enumerator.close()

    # What the enumerator may ask ----------------------------------------------------------------------------------------

    def current_parallelism(self) -> int:
        return self._vertex.parallelism

    def registered_readers(self) -> list[int]:
        return sorted(self._readers)

    def configuration(self) -> dict[str, str]:
        return dict(self._settings)

    def assign_split(self, split: Any, subtask: int) -> None:
        self._assigned.add(subtask, split)
        self._send(self._reader(subtask), AssignSplits(self._reader(subtask), [split]))

    def signal_no_more_splits(self, subtask: int) -> None:
        self._send(self._reader(subtask), NoMoreSplits(self._reader(subtask)))

    def send_event_to_reader(self, subtask: int, event: Any) -> None:
        self._send(self._reader(subtask), ToReader(self._reader(subtask), event))

    def call_async(self, work: Callable[[], Any], then: Then) -> None:
        if self._background is None:
            self._background = self._make_background(f"enumerator of {self._vertex.name}", self._wake_up)

        def told(result: Any, error: BaseException | None) -> None:
            if not self._closed:
                then(result, error)

        self._background.submit(work, told)

    def call_at_interval(self, work: Callable[[], Any], then: Then, interval_ms: int) -> None:
        is_under_way = False

        def told(result: Any, error: BaseException | None) -> None:
            nonlocal is_under_way
            is_under_way = False
            then(result, error)

        def again(_: int) -> None:
            nonlocal is_under_way
            if self._closed:
                return
            if not is_under_way:  # what takes longer than the interval is not begun a second time meanwhile
                is_under_way = True
                self.call_async(work, told)
            self._time.schedule(self._time.clock.now_ms() + interval_ms, again)

        again(0)

    def _reader(self, subtask: int) -> SubtaskId:
        if not 0 <= subtask < self._vertex.parallelism:
            raise ProgramError(
                f"there is no reader {subtask}: the source has parallelism {self._vertex.parallelism}"
            )
        return SubtaskId(self._vertex.id, subtask)
