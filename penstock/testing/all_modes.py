"""One script, run through an operator in every way in which the engine might run it: the rows must be the same.

Source of the idea: ``TestSupport`` of Hazelcast Jet, where every test of a processor is a test of its recovery, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from penstock.data.elements import MIN_TIMESTAMP, StreamStatus, Watermark
from penstock.data.key_groups import subtask_of_key_group
from penstock.data.keys import key_group
from penstock.operators.contract import OperatorSpec
from penstock.testing.operator_harness import HarnessSettings, OperatorHarness, Outcome, restored
from penstock.testing.records import AdvanceTime, EndInput, Event, Step, StreamRecord

Expected = Sequence[Any]
"""Values, :class:`StreamRecord` where the event time matters, and signals where they do."""


@dataclass(frozen=True, slots=True)
class ModeOptions:
    """How to run and compare. ``output_key`` gives the key of a row, whose order is then checked across keys, too."""

    settings: HarnessSettings = field(default_factory=HarnessSettings)
    output_key: Callable[[Any], Any] | None = None
    side_outputs: Mapping[str, Expected] = field(default_factory=dict)


def run_in_all_modes(
    spec: OperatorSpec,
    script: Sequence[Step | Any],
    expected: Expected,
    key_selectors: Sequence[Any] = (),
    options: ModeOptions | None = None,
) -> None:
    """Run a script record by record, in batches, a row in each step, with a restart between any two, and (if keyed) rescaled.

    ``script``: steps; anything that is not one is a value without event time. ``expected``: what comes out record by record.
    Keyed operators may mix keys in another order in the other modes; within a key, and of operators without keys, the order
    has to be the same. Raises ``AssertionError`` that names the mode and the step.

    >>> from penstock.operators.keyed_reduce import KeyedReduceSpec
    >>> run_in_all_modes(KeyedReduceSpec(max), [3, 1, 4, 1, 5], [3, 3, 4, 3, 5], [lambda value: value % 2])
    """
    options = options or ModeOptions()
    steps = [step if isinstance(step, Step) else StreamRecord(step) for step in script]
    runs = _Runs(spec, steps, tuple(key_selectors), options.settings)
    reference = _carry_out("one by one", steps, runs.one_by_one(), lambda pieces: None)
    _check_expected(reference, expected, options)
    is_keyed = any(selector is not None for selector in key_selectors)
    for name, run in runs.others(is_keyed).items():
        compared = _Comparison(name, steps, is_keyed, options.output_key)
        _carry_out(name, steps, run, partial(compared.check, reference))


@dataclass(frozen=True, slots=True)
class _Piece:
    """What came out of the steps from ``start`` up to ``stop``."""

    start: int
    stop: int
    outcome: Outcome
    fired_early: bool = False
    """Whether telling a restarted operator the watermark again made it emit rows."""


Pieces = Iterator[_Piece]


def _carry_out(
    mode: str, steps: list[Step], run: Pieces, check: Callable[[list[_Piece]], None]
) -> list[_Piece]:
    """Run to the end and check what came; of a run that fails too, as a difference before explains more than the failure."""
    pieces: list[_Piece] = []
    try:
        pieces.extend(run)
    except Exception as error:
        check(pieces)
        at = pieces[-1].stop if pieces else 0
        error.add_note(f"mode {mode!r}, after step {at} of {len(steps)}: {_shown(steps, at, at + 1)}")
        raise
    check(pieces)
    return pieces


class _Runs:
    """The ways to run a script. A run that restarts or rescales keeps what downstream would know: the highest watermark."""

    def __init__(
        self, spec: OperatorSpec, steps: list[Step], key_selectors: tuple[Any, ...], settings: HarnessSettings
    ) -> None:
        self._steps = steps
        probe = OperatorHarness(spec, key_selectors, settings)
        self._pristine = probe._pristine
        probe.close()
        self._key_selectors = key_selectors
        self._settings = settings
        ends = [index for index, step in enumerate(steps) if isinstance(step, EndInput)]
        self._last = ends[-1] if len(ends) == spec.ports else len(steps)

    def _harness(self) -> OperatorHarness:
        return OperatorHarness(self._pristine(), self._key_selectors, self._settings)

    def others(self, is_keyed: bool) -> dict[str, Pieces]:
        """Every mode but the first."""
        runs = {
            "batched": self.batched(),
            "batched, in pieces": self.batched(in_pieces=True),
            "restored after every step": self.restoring(1),
            "restored after every second step": self.restoring(2),
            "saved after every step": self.saving(),
        }
        if is_keyed:
            third = len(self._steps) // 3
            for parallelism in (2, 3):
                name = f"rescaled to {parallelism} after step {third} and back after step {2 * third}"
                runs[name] = self.rescaling(parallelism, third, 2 * third)
        return runs

    def one_by_one(self) -> Pieces:
        with self._harness() as harness:
            for index, step in enumerate(self._steps):
                harness.feed([step])
                yield _Piece(index, index + 1, harness.take_outcome())

    def batched(self, in_pieces: bool = False) -> Pieces:
        steps = self._steps
        settings = replace(self._settings, in_pieces=in_pieces)
        with OperatorHarness(self._pristine(), self._key_selectors, settings) as harness:
            start = 0
            for stop in range(1, len(steps) + 1):
                if stop < len(steps) and _go_together(steps[start], steps[stop]):
                    continue
                harness.feed(steps[start:stop])
                yield _Piece(start, stop, harness.take_outcome())
                start = stop

    def saving(self) -> Pieces:
        with self._harness() as harness:
            for index, step in enumerate(self._steps):
                harness.feed([step])
                if index < self._last:
                    harness.snapshot(index + 1)
                yield _Piece(index, index + 1, harness.take_outcome())

    def restoring(self, every: int) -> Pieces:
        harness = self._harness()
        told = _Told()
        try:
            for index, step in enumerate(self._steps):
                harness.feed([step])
                outcome = told.take(step, [harness])
                early = False
                if (index + 1) % every == 0 and index < self._last:
                    harness = harness.restored(harness.snapshot(index + 1))
                    early = told.tell_again([harness], outcome)
                yield _Piece(index, index + 1, outcome, early)
        finally:
            harness.close()

    def rescaling(self, parallelism: int, split: int, merge: int) -> Pieces:
        harnesses = [self._harness()]
        told = _Told()
        early = False
        try:
            for index, step in enumerate(self._steps):
                before = Outcome()
                if index in (split, merge) and index <= self._last:
                    saved = [harness.snapshot(index) for harness in harnesses]
                    harnesses = restored(
                        harnesses, saved, parallelism if index == split and split < merge else 1
                    )
                    early = told.tell_again(harnesses, before)
                self._give(harnesses, step)
                outcome = told.take(step, harnesses)
                _append(before, outcome)
                yield _Piece(index, index + 1, before, early)
        finally:
            for harness in harnesses:
                harness.close()

    def _give(self, harnesses: list[OperatorHarness], step: Step) -> None:
        """Records go to the subtask of their key, those without keys and signals to all; the clock is one for all."""
        if isinstance(step, StreamRecord):
            keys = harnesses[0].keys_of([step], step.port)
            most = self._settings.max_parallelism
            for index, harness in enumerate(harnesses):
                if keys is None or index == subtask_of_key_group(
                    most, len(harnesses), key_group(keys[0], most)
                ):
                    harness.feed([step])
        elif isinstance(step, AdvanceTime):
            now_ms = harnesses[0].clock.now_ms() + step.ms
            for harness in harnesses:
                harness.set_processing_time(now_ms)
        else:
            for harness in harnesses:
                harness.feed([step])


class _Told:
    """What the operators were told of time and ends, and have to be told again after a restart."""

    def __init__(self) -> None:
        self._watermark: Watermark | None = None
        self._status: StreamStatus | None = None
        self._ended: list[EndInput] = []
        self._highest = MIN_TIMESTAMP

    def take(self, step: Step, harnesses: list[OperatorHarness]) -> Outcome:
        """What the step made them emit, as one receiver of all subtasks sees it."""
        if isinstance(step, Watermark):
            self._watermark = step
        elif isinstance(step, StreamStatus):
            self._status = step
        elif isinstance(step, EndInput):
            self._ended.append(step)
        outcome = _merged([harness.take_outcome() for harness in harnesses])
        outcome.events = [event for event in outcome.events if not self._is_old(event)]
        return outcome

    def tell_again(self, harnesses: list[OperatorHarness], into: Outcome) -> bool:
        """Tell the subtasks, and add the rows that come of it to ``into``; says whether there were any."""
        known = [step for step in (self._watermark, self._status, *self._ended) if step is not None]
        for harness in harnesses:
            harness.feed(known)
        outcome = _merged([harness.take_outcome() for harness in harnesses])
        outcome.events = list(outcome.records)
        _append(into, outcome)
        return bool(outcome.events or outcome.sides)

    def _is_old(self, event: Event) -> bool:
        if not isinstance(event, Watermark):
            return False
        if event.timestamp <= self._highest:
            return True
        self._highest = event.timestamp
        return False


class _Comparison:
    """Compares the pieces of one mode with those of the run record by record."""

    def __init__(
        self, mode: str, steps: list[Step], is_keyed: bool, output_key: Callable[[Any], Any] | None
    ) -> None:
        self._mode = mode
        self._steps = steps
        self._is_keyed = is_keyed
        self._output_key = output_key

    def check(self, reference: list[_Piece], pieces: list[_Piece]) -> None:
        if any(piece.fired_early for piece in pieces):
            # Timers that were set for the past fire at the next watermark, and a restart brings one sooner.
            whole = _Piece(0, len(self._steps), _rows_of(pieces))
            self._check_piece(_rows_of(reference), whole)
            return
        for piece in pieces:
            wanted = Outcome()
            for part in reference[piece.start : piece.stop]:
                _append(wanted, part.outcome)
            self._check_piece(wanted, piece)

    def _check_piece(self, wanted: Outcome, piece: _Piece) -> None:
        alone = piece.stop == piece.start + 1 and isinstance(self._steps[piece.start], StreamRecord)
        in_order = alone or not self._is_keyed
        self._check_events("main output", wanted.events, piece.outcome.events, piece, in_order)
        for tag in sorted({*wanted.sides, *piece.outcome.sides}):
            sides = wanted.sides.get(tag, []), piece.outcome.sides.get(tag, [])
            self._check_events(f"side output {tag!r}", *sides, piece, in_order)

    def _check_events(
        self, what: str, wanted: Sequence[Event], came: Sequence[Event], piece: _Piece, in_order: bool
    ) -> None:
        same = list(wanted) == list(came) if in_order else self._same_rows(wanted, came)
        if not same:
            raise AssertionError(
                f"mode {self._mode!r}, step {piece.start + 1} of {len(self._steps)}: "
                f"{_shown(self._steps, piece.start, piece.stop)}\n"
                f"the {what} differs\n  one by one: {list(wanted)!r}\n  this mode:  {list(came)!r}"
            )

    def _same_rows(self, wanted: Sequence[Event], came: Sequence[Event]) -> bool:
        """The same rows between the same signals, and the rows of each key in the same order."""
        if [event for event in wanted if not isinstance(event, StreamRecord)] != [
            event for event in came if not isinstance(event, StreamRecord)
        ]:
            return False
        return all(map(self._same_run, _runs_of_rows(wanted), _runs_of_rows(came)))

    def _same_run(self, wanted: list[StreamRecord], came: list[StreamRecord]) -> bool:
        if not _same_in_any_order(wanted, came):
            return False
        key = self._output_key
        if key is None:
            return True
        keys = [key(record.value) for record in wanted]
        return all(
            [r for r in wanted if key(r.value) == one] == [r for r in came if key(r.value) == one]
            for one in keys
        )


def _check_expected(reference: list[_Piece], expected: Expected, options: ModeOptions) -> None:
    whole = Outcome()
    for piece in reference:
        _append(whole, piece.outcome)
    outputs: list[tuple[str, Sequence[Event], Expected]] = [("main output", whole.events, expected)]
    outputs += [
        (f"side output {tag!r}", whole.sides.get(tag, []), rows) for tag, rows in options.side_outputs.items()
    ]
    for what, came, wanted in outputs:
        shown = _in_the_form_of(wanted, came)
        if shown != list(wanted):
            at = next(
                (i for i, (a, b) in enumerate(zip(shown, wanted, strict=False)) if a != b),
                min(len(shown), len(wanted)),
            )
            raise AssertionError(
                f"mode 'one by one': the {what} is not what was expected, from row {at + 1} on\n"
                f"  expected: {list(wanted)!r}\n  came:     {shown!r}"
            )


def _in_the_form_of(wanted: Expected, came: Sequence[Event]) -> list[Any]:
    """What came, with as much of it as the test wants to know: signals or not, event times or not."""
    if not any(isinstance(each, (Watermark, StreamStatus)) for each in wanted):
        came = [event for event in came if isinstance(event, StreamRecord)]
    with_times = any(isinstance(each, StreamRecord) for each in wanted)
    return [event.value if isinstance(event, StreamRecord) and not with_times else event for event in came]


def _go_together(first: Step, second: Step) -> bool:
    return isinstance(first, StreamRecord) and isinstance(second, StreamRecord) and first.port == second.port


def _append(whole: Outcome, part: Outcome) -> None:
    whole.events += part.events
    for tag, records in part.sides.items():
        whole.sides.setdefault(tag, []).extend(records)


def _rows_of(pieces: list[_Piece]) -> Outcome:
    whole = Outcome()
    for piece in pieces:
        _append(whole, piece.outcome)
    whole.events = list(whole.records)
    return whole


def _merged(outcomes: list[Outcome]) -> Outcome:
    """The outcomes of all subtasks in one: rows between signals together, each signal once all have sent it."""
    if len(outcomes) == 1:
        return outcomes[0]
    merged = Outcome()
    signals = max(([e for e in o.events if not isinstance(e, StreamRecord)] for o in outcomes), key=len)
    runs = [_runs_of_rows(outcome.events) for outcome in outcomes]
    for index in range(len(signals) + 1):
        for of_subtask in runs:
            merged.events += of_subtask[index] if index < len(of_subtask) else []
        merged.events += signals[index : index + 1]
    for outcome in outcomes:
        for tag, records in outcome.sides.items():
            merged.sides.setdefault(tag, []).extend(records)
    return merged


def _runs_of_rows(events: Sequence[Event]) -> list[list[StreamRecord]]:
    runs: list[list[StreamRecord]] = [[]]
    for event in events:
        if isinstance(event, StreamRecord):
            runs[-1].append(event)
        else:
            runs.append([])
    return runs


def _same_in_any_order(wanted: list[StreamRecord], came: list[StreamRecord]) -> bool:
    left = list(came)
    for record in wanted:
        if record not in left:
            return False
        left.remove(record)
    return not left


def _shown(steps: list[Step], start: int, stop: int) -> str:
    return ", ".join(repr(step) for step in steps[start:stop]) or "the end"
