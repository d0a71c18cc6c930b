"""One operator alone: with a clock that the test moves, real state and real timers, and everything that it emits in lists."""

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from penstock.clock import ManualClock
from penstock.contracts.accumulators import Accumulator
from penstock.contracts.output_tag import OutputTag
from penstock.contracts.pace import Pace
from penstock.contracts.state_backend import OperatorStateBackend
from penstock.contracts.timers import Timers
from penstock.data import code_pickle
from penstock.data.batch import Batch, ColumnBatch, RowBatch
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP, StreamStatus, Watermark
from penstock.data.key_groups import key_group_range
from penstock.errors import ProgramError, ProtocolError, StateError
from penstock.metrics.kinds import MetricGroup
from penstock.operators import pieces
from penstock.operators.contract import OperatorContext, OperatorSnapshot, OperatorSpec, Output
from penstock.operators.coroutines import Coroutines
from penstock.operators.source import SourceSpec
from penstock.runtime.task.keying import KeyExtractor
from penstock.runtime.task.tasklet import give_batch
from penstock.runtime.task.timekeeping import DueCalls
from penstock.runtime.worker.state_access import StateAccess
from penstock.testing.records import AdvanceTime, EndInput, Event, Step, StreamRecord, batch_of, records_of


class OperatorContractBroken(ProtocolError):
    """The operator under test did something that the engine does not allow."""


@dataclass(frozen=True, slots=True)
class HarnessSettings:
    """Where the operator under test believes that it runs. ``in_pieces``: each of its steps is over behind one row."""

    parallelism: int = 1
    subtask_index: int = 0
    max_parallelism: int = 128
    batch_mode: bool = False
    configuration: Mapping[str, str] = field(default_factory=dict)
    name: str = "operator under test"
    in_pieces: bool = False


@dataclass(slots=True)
class Outcome:
    """What an operator emitted: the main output with its signals, in order, and the records of each side output."""

    events: list[Event] = field(default_factory=list)
    sides: dict[str, list[StreamRecord]] = field(default_factory=dict)

    @property
    def records(self) -> list[StreamRecord]:
        """The records of the main output."""
        return [event for event in self.events if isinstance(event, StreamRecord)]


class OperatorHarness:
    """Drives one operator as a task does, and checks on the way that it keeps the operator's contract.

    ``key_selectors``: for a keyed operator one for each input, None for an input without keys. ``clock``: a
    :class:`ManualClock` of the test's own.

    >>> from penstock.operators.keyed_reduce import KeyedReduceSpec
    >>> harness = OperatorHarness(KeyedReduceSpec(lambda a, b: a + b), [lambda value: value % 2])
    >>> harness.process_elements([1, 2, 3])
    >>> harness.extract_output_values()
    [1, 2, 4]
    >>> harness = harness.restored()
    >>> harness.process_element(5)
    >>> harness.extract_output_values()
    [9]
    """

    def __init__(
        self,
        spec: OperatorSpec,
        key_selectors: Sequence[Any] = (),
        settings: HarnessSettings | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        self._make(spec, key_selectors, settings or HarnessSettings(), clock or ManualClock(), [])

    def _make(
        self,
        spec: OperatorSpec,
        key_selectors: Sequence[Any],
        settings: HarnessSettings,
        clock: ManualClock,
        snapshots: Sequence[OperatorSnapshot],
    ) -> None:
        """``snapshots``: those of all subtasks of a run before; operator state and the own value are those of the first."""
        _check(spec, key_selectors)
        self.spec = spec
        self.settings = settings
        self.clock = clock
        self.key_selectors = tuple(key_selectors)
        self.is_closed = False
        self._pristine = _pickled_spec(spec)
        self._time = DueCalls(clock)
        self._step = pieces.Step(clock)
        self._step.has_room = lambda: False
        self._state = StateAccess(dict(settings.configuration), clock)
        self._watermark = MIN_TIMESTAMP
        self._status: StreamStatus | None = None
        self._ended_ports: set[int] = set()
        self._seen = Outcome()
        self._sent: list[tuple[RowBatch, list[Any]]] = []
        self._last_watermark = MIN_TIMESTAMP
        self._finished = False
        self._timers: dict[str, Timers] = {}
        self._restored_from = list(snapshots)
        self.context = self._new_context()
        self._keys = [None if each is None else KeyExtractor(self.context, each) for each in key_selectors]
        self._restore_state()
        self.operator = spec.build(self.context)
        if snapshots and snapshots[0].own is not None:
            self.operator.restore(snapshots[0].own)
        self.operator.open()
        self.operator.start()
        self.run_coroutines()

    # Building -----------------------------------------------------------------------------------------------------------

    def _new_context(self) -> OperatorContext:
        settings = self.settings
        metrics = MetricGroup()
        context = OperatorContext(
            job_id="0" * 32,
            operator_id="f" * 32,
            name=settings.name,
            origin=None,
            subtask_index=settings.subtask_index,
            parallelism=settings.parallelism,
            max_parallelism=settings.max_parallelism,
            attempt=1 if self._restored_from else 0,
            batch_mode=settings.batch_mode,
            clock=self.clock,
            processing_time=self._time,
            metrics=metrics,
            metrics_of=metrics.add_group,
            restored_checkpoint_id=self._restored_from[0].checkpoint_id if self._restored_from else None,
            settings=dict(settings.configuration),
            output=Output(self._emit, self._emit_watermark, self._emit_status, _EverySide(self._emit_aside)),
            current_watermark=lambda: self._watermark,
            coroutines=Coroutines(self.clock),
            effect=self.spec.effect,
        )
        if settings.in_pieces:
            context.pieces = self._step.pieces()
            context.pieces.pace = Pace(most=1)
        context.operator_state = self._state.operator(context)
        if self.spec.uses_keyed_state:
            context.keyed_state = self._state.keyed(context)
            context.make_timers = self._make_timers
        return context

    def _make_timers(self, name: str) -> Timers:
        if name in self._timers:
            raise StateError(f"the operator asks twice for the timers {name!r}")
        assert self.context.keyed_state is not None
        timers = self._timers[name] = self.context.keyed_state.timers(name)
        saved = [s.timers[name] for s in self._restored_from if s.timers and name in s.timers]
        if saved:
            timers.restore(saved, self._key_groups)
        return timers

    def _restore_state(self) -> None:
        if not self._restored_from:
            return
        if self.context.keyed_state is not None:
            saved = [snapshot.keyed for snapshot in self._restored_from if snapshot.keyed is not None]
            self.context.keyed_state.restore(saved, self._key_groups)
        mine = self._restored_from[0].operator
        if mine is not None:
            assert isinstance(self.context.operator_state, OperatorStateBackend)
            self.context.operator_state.restore(mine)

    @property
    def _key_groups(self) -> range:
        settings = self.settings
        return key_group_range(settings.max_parallelism, settings.parallelism, settings.subtask_index)

    # What goes in -------------------------------------------------------------------------------------------------------

    def process_element(self, value: Any, timestamp: int | None = None, port: int = 0) -> None:
        """Give one value to the operator."""
        self.process_batch(batch_of([StreamRecord(value, timestamp)]), port)

    def process_element1(self, value: Any, timestamp: int | None = None) -> None:
        """Give one value to the first input."""
        self.process_element(value, timestamp, 0)

    def process_element2(self, value: Any, timestamp: int | None = None) -> None:
        """Give one value to the second input."""
        self.process_element(value, timestamp, 1)

    def process_elements(self, values: Iterable[Any], port: int = 0) -> None:
        """Give many in one batch: values without event time, or :class:`StreamRecord`."""
        records = [value if isinstance(value, StreamRecord) else StreamRecord(value) for value in values]
        self.process_batch(batch_of(records), port)

    def process_batch(self, batch: Batch, port: int = 0) -> None:
        """Give a batch as it is; its keys are computed where the operator has key selectors."""
        self._check_open()
        if port in self._ended_ports or not 0 <= port < self.spec.ports:
            raise ProgramError(f"input {port} is at its end, or is none of the {self.spec.ports} inputs")
        keys = self._keys[port] if self._keys else None
        if keys is not None and not (isinstance(batch, RowBatch) and batch.keys is not None):
            batch = keys.keyed(batch)
        before = [list(part) for part in _lists_of(batch)]
        give_batch(self.operator.on_batch, batch, port, self.context)
        self._go_on()
        self.run_coroutines()
        if not all(map(_is_same, before, _lists_of(batch))):
            raise OperatorContractBroken(
                f"the operator changed the lists of a batch that it was given: {batch!r:.200}"
            )

    def process_watermark(self, timestamp: int) -> None:
        """Let the watermark of all inputs rise to ``timestamp``."""
        self._check_open()
        if timestamp <= self._watermark:
            raise ProgramError(
                f"a watermark of {timestamp} after {self._watermark}: a task only ever gives its operators higher ones"
            )
        self._watermark = timestamp
        self.operator.on_watermark(timestamp)
        self._go_on()

    def process_watermark_status(self, status: StreamStatus) -> None:
        """Say that all inputs have become idle (``IDLE``), or that one is active again (``ACTIVE``)."""
        self._check_open()
        self._status = status
        self.operator.on_status(status)
        self._go_on()

    def set_processing_time(self, now_ms: int) -> None:
        """Move the clock to ``now_ms`` and fire what is due."""
        self._check_open()
        self.clock.set(now_ms)
        self.run_coroutines()
        while self._time.fire(self._is_done):
            self._go_on()
            self.run_coroutines()

    def _is_done(self) -> bool:
        return not self._step.unfinished

    def _go_on(self) -> None:
        """Step until the operator is not in the middle of anything."""
        while self._step.unfinished:
            self._step.go_on()

    def run_coroutines(self) -> None:
        """Run coroutines of async functions until each waits for something; their results come out. Done after every input.

        ``asyncio.sleep`` waits for :meth:`advance_processing_time`.
        """
        coroutines = self.context.coroutines
        while coroutines.is_live:
            coroutines.run()
            moved = self.operator.catch_up()
            self._go_on()
            if not moved and coroutines.sleep_s != 0:
                break

    def advance_processing_time(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass."""
        self.set_processing_time(self.clock.now_ms() + ms)

    def get_processing_time(self) -> int:
        """What the clock shows."""
        return self.clock.now_ms()

    def end_key(self, key: Any) -> None:
        """BATCH mode on keyed input: all records of ``key`` have been given."""
        self._check_open()
        self.operator.end_key(key)
        self._go_on()

    def end_input(self, port: int = 0) -> None:
        """One input is at its end; with the last one the operator finishes."""
        self._check_open()
        self.operator.on_end_of_input(port)
        self._go_on()
        self._ended_ports.add(port)
        if len(self._ended_ports) == self.spec.ports:
            if self.operator.in_flight:
                raise ProgramError(
                    "records are still in flight, so the input cannot end: let what they wait for happen, or time pass"
                )
            self.operator.finish()
            self._go_on()
            self._finished = True

    def process_bounded_input(self, records: Iterable[StreamRecord]) -> None:
        """BATCH mode: all of the input at once, as the engine gives it, to its end: keyed input key by key."""
        batches = [(record.port, batch_of([record])) for record in records]
        if self._keys:
            grouping = self._state.grouping()
            for port, batch in sorted(batches, key=lambda each: each[0] != self.spec.first_port):
                keys = self._keys[port]
                if keys is None:
                    self.process_batch(batch, port)
                else:
                    grouping.add(port, keys.keyed(batch))
            for key, parts in grouping.groups():
                for port, values, timestamps in parts:
                    self.process_batch(RowBatch(values, timestamps, [key] * len(values)), port)
                self.end_key(key)
            self.process_watermark(MAX_WATERMARK)
        else:
            for port, batch in batches:
                self.process_batch(batch, port)
            self.process_watermark(MAX_WATERMARK)
        for port in range(self.spec.ports):
            self.end_input(port)

    def feed(self, steps: Iterable[Step]) -> None:
        """Take steps of a script; records that follow one another on one input go in one batch."""
        waiting: list[StreamRecord] = []
        for step in steps:
            if waiting and not (isinstance(step, StreamRecord) and step.port == waiting[0].port):
                self.process_elements(waiting, waiting[0].port)
                waiting = []
            if isinstance(step, StreamRecord):
                waiting.append(step)
            else:
                self._take_signal(step)
        if waiting:
            self.process_elements(waiting, waiting[0].port)

    def _take_signal(self, step: Watermark | StreamStatus | AdvanceTime | EndInput) -> None:
        match step:
            case Watermark(timestamp):
                self.process_watermark(timestamp)
            case StreamStatus():
                self.process_watermark_status(step)
            case AdvanceTime(ms):
                self.advance_processing_time(ms)
            case EndInput(port):
                self.end_input(port)

    def _check_open(self) -> None:
        if self.is_closed or self._finished:
            raise ProgramError("the operator is closed, or has come to the end of all its inputs")

    def keys_of(self, records: list[StreamRecord], port: int = 0) -> list[Any] | None:
        """The keys of records, None for an input without keys."""
        keys = self._keys[port] if self._keys else None
        return None if keys is None else keys.keyed(batch_of(records)).keys

    # What comes out -----------------------------------------------------------------------------------------------------

    def _emit(self, batch: Batch) -> None:
        self._check_emission(batch)
        self._seen.events += records_of(batch)

    def _emit_aside(self, tag_id: str, batch: Batch) -> None:
        self._check_emission(batch)
        self._seen.sides.setdefault(tag_id, []).extend(records_of(batch))

    def _emit_watermark(self, timestamp: int) -> None:
        if timestamp <= self._last_watermark:
            raise OperatorContractBroken(f"the watermark {timestamp} came behind {self._last_watermark}")
        self._last_watermark = timestamp
        self._seen.events.append(Watermark(timestamp))

    def _emit_status(self, status: StreamStatus) -> None:
        self._seen.events.append(status)

    def _check_emission(self, batch: Batch) -> None:
        if self._finished or self.is_closed:
            raise OperatorContractBroken(f"a batch was emitted after the end: {batch!r:.200}")
        if isinstance(batch, RowBatch):
            if batch.timestamps is not None and len(batch.timestamps) != len(batch.values):
                raise OperatorContractBroken(f"values and timestamps differ in length: {batch!r:.200}")
            self._sent.append((batch, list(batch.values)))

    def take_outcome(self) -> Outcome:
        """Everything that came out since the last call, which is then forgotten."""
        outcome, self._seen = self._seen, Outcome()
        return outcome

    def extract_output_values(self) -> list[Any]:
        """The values of the main output so far."""
        return [record.value for record in self._seen.records]

    def extract_output_stream_records(self) -> list[StreamRecord]:
        """The records of the main output so far, with their event times."""
        return self._seen.records

    def get_output(self) -> list[Event]:
        """The main output so far: records, watermarks and statuses, in order."""
        return list(self._seen.events)

    def get_side_output(self, output_tag: OutputTag | str) -> list[StreamRecord]:
        """The records of a side output so far."""
        tag_id = output_tag.tag_id if isinstance(output_tag, OutputTag) else output_tag
        return list(self._seen.sides.get(tag_id, []))

    def get_accumulators(self) -> dict[str, Accumulator]:
        """The accumulators that functions registered."""
        return dict(self.context.accumulators)

    def get_metrics(self) -> dict[str, Any]:
        """The metrics that functions registered, with their values now."""
        return dict(self.context.metrics.collect())

    def get_current_watermark(self) -> int:
        """The watermark that was given last."""
        return self._watermark

    # Snapshots ----------------------------------------------------------------------------------------------------------

    def snapshot(self, checkpoint_id: int = 1) -> OperatorSnapshot:
        """Everything that a checkpoint would hold of the operator."""
        self._check_open()
        own = self.operator.take_snapshot(checkpoint_id)
        assert isinstance(self.context.operator_state, OperatorStateBackend)
        keyed = self.context.keyed_state
        return OperatorSnapshot(
            keyed=None if keyed is None else keyed.snapshot(),
            timers={name: timers.snapshot() for name, timers in self._timers.items()},
            operator=self.context.operator_state.snapshot(),
            own=own,
            checkpoint_id=checkpoint_id,
        )

    def notify_of_completed_checkpoint(self, checkpoint_id: int) -> None:
        """Tell the operator and its functions that a checkpoint is complete."""
        self._check_open()
        self.operator.checkpoint_completed(checkpoint_id)

    def notify_of_aborted_checkpoint(self, checkpoint_id: int) -> None:
        """Tell the operator and its functions that a checkpoint will never be complete."""
        self._check_open()
        self.operator.checkpoint_aborted(checkpoint_id)

    def restored(self, snapshot: OperatorSnapshot | None = None) -> "OperatorHarness":
        """A new operator that goes on from a snapshot, by default from one of now; this one is closed.

        The functions of the user are new, as after a restart: what they kept in fields of their own is gone.
        """
        return restored([self], [snapshot or self.snapshot()], 1)[0]

    def rescaled(self, parallelism: int) -> "list[OperatorHarness]":
        """The operator in several subtasks that have its state between them; this one is closed."""
        return restored([self], [self.snapshot()], parallelism)

    def close(self) -> None:
        """Close the operator, and check that it left alone what it had emitted. May be called more than once."""
        if self.is_closed:
            return
        try:
            self.operator.close()
        finally:
            self.context.coroutines.close()
        if self.context.keyed_state is not None:
            self.context.keyed_state.close()
        self.is_closed = True
        for batch, values in self._sent:
            if not _is_same(values, batch.values):
                raise OperatorContractBroken(
                    f"the operator changed a batch after it had emitted it: {values!r:.200}"
                )

    def __enter__(self) -> "OperatorHarness":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def restored(
    before: Sequence[OperatorHarness], snapshots: Sequence[OperatorSnapshot], parallelism: int
) -> list[OperatorHarness]:
    """All subtasks of a run before, closed and started again as ``parallelism`` subtasks.

    :raises StateError: when a snapshot cannot be pickled, or the operators' own values differ and have to become one.
    """
    from penstock.state.operator_lists import redistribute

    first = before[0]
    saved: list[OperatorSnapshot] = [_through_pickle(snapshot) for snapshot in snapshots]
    owns = [snapshot.own for snapshot in saved]
    if len(owns) != parallelism and any(own != owns[0] for own in owns):
        raise StateError(f"the operators' own values differ, so they cannot be rescaled: {owns!r:.200}")
    dealt = redistribute([s.operator for s in saved if s.operator is not None], parallelism)
    for harness in before:
        harness.close()
    after = []
    for index in range(parallelism):
        own = owns[index] if len(owns) == parallelism else owns[0]
        mine = [replace(snapshot, operator=dealt[index], own=own) for snapshot in saved]
        harness = type(first).__new__(type(first))
        settings = replace(first.settings, parallelism=parallelism, subtask_index=index)
        harness._make(first._pristine(), first.key_selectors, settings, first.clock, mine)
        after.append(harness)
    return after


class _EverySide(dict[str, Callable[[Batch], None]]):
    """Has every side output, so that all that is put aside is kept."""

    def __init__(self, emit: Callable[[str, Batch], None]) -> None:
        super().__init__()
        self._emit = emit

    def __contains__(self, tag_id: object) -> bool:
        return True

    def get(self, tag_id: str, default: Any = None) -> Callable[[Batch], None]:
        return lambda batch: self._emit(tag_id, batch)

    __getitem__ = get


def _check(spec: OperatorSpec, key_selectors: Sequence[Any]) -> None:
    if isinstance(spec, SourceSpec):
        raise ProgramError("a source has no input to drive it by; run it in a job, by hand with ManualJob")
    if spec.uses_keyed_state and len(key_selectors) != spec.ports:
        raise ProgramError(
            f"{type(spec).__name__} is keyed and has {spec.ports} inputs: give as many key selectors, "
            f"not {len(key_selectors)}"
        )


def _pickled_spec(spec: OperatorSpec) -> Callable[[], OperatorSpec]:
    """Copies of the spec as it is now, before its functions have been opened; the error of a failure comes when asked."""
    try:
        data = code_pickle.dumps(spec)
    except Exception as error:  # noqa: BLE001  (a user's object may raise anything when it is pickled)
        failure = error

        def fail() -> OperatorSpec:
            raise StateError(
                f"the operator cannot be started anew: its functions cannot be pickled: {failure}"
            ) from failure

        return fail
    return lambda: pickle.loads(data)


def _through_pickle(snapshot: OperatorSnapshot) -> OperatorSnapshot:
    try:
        return pickle.loads(pickle.dumps(snapshot))  # type: ignore[no-any-return]
    except Exception as error:
        raise StateError(f"the snapshot cannot be pickled: {error}; it was {snapshot!r:.200}") from error


def _lists_of(batch: Batch) -> list[list[Any]]:
    """The lists that an operator could change; columns cannot be changed."""
    if isinstance(batch, ColumnBatch):
        return []
    return [part for part in (batch.values, batch.timestamps, batch.keys) if part is not None]


def _is_same(before: list[Any], now: list[Any]) -> bool:
    return len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))
