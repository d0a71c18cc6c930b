"""Tumbling and sliding windows of event time that fire when the watermark passes their end: the fast way.

All keys of such a window fire at one moment, so the contents are kept window by window (a *pane* of the state: key to
contents) and nothing is kept per key: no timer, no state of a trigger. A batch that falls into one window costs one call of
the state's table; when the watermark comes by, a window is taken out whole and leaves as one batch. The results are those of
:class:`~penstock.operators.window.general.GeneralWindows`, in the same order.

Sliding windows put each record into every window it is in. Keeping shorter panes and merging them would save work only where
``merge`` gives to the last bit what ``add`` does, which no function promises.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from penstock.data.batch import RowBatch
from penstock.data.elements import MAX_WATERMARK, MIN_TIMESTAMP
from penstock.operators.apart import values_apart
from penstock.operators.contract import Operator, OperatorContext
from penstock.operators.pieces import Work
from penstock.operators.process_records import key_is_unusable, unusable_key
from penstock.operators.user_code import user_error
from penstock.operators.window.contents import Store, make_store
from penstock.operators.window.evaluation import Evaluator
from penstock.operators.window.late import LateRecords
from penstock.operators.window.splitting import Part, in_order, join, select, split_by_pane
from penstock.operators.window.stagger import OwnAssigner
from penstock.operators.window.times import Times
from penstock.windows.assigners.assigner import missing_timestamp
from penstock.windows.window import TimeWindow

if TYPE_CHECKING:
    from penstock.operators.window.spec import WindowSpec

KEYS_PER_FLUSH = 64
KNOWN_PANES = 256
NEVER = MAX_WATERMARK + 1

Event = tuple[int, bool, TimeWindow]
"""Time, whether the window is dropped rather than fired, window."""


class PaneWindows(Operator):
    """Keeps the windows that hold anything by their starts, and when the next of them is due."""

    def __init__(self, spec: "WindowSpec", context: OperatorContext) -> None:
        super().__init__(context)
        assert context.keyed_state is not None
        self._spec = spec
        self._backend = context.keyed_state
        self._times = Times(context.clock)
        self._own_assigner = OwnAssigner(spec.assigner)
        self._evaluator = Evaluator(spec, context, self._times, merging=False)
        self._collector = self._evaluator.collector
        self._late = LateRecords(spec, context, self._collector)
        self._lateness_ms = spec.allowed_lateness_ms
        self._store: Store | None = None
        self._open: dict[int, TimeWindow] = {}
        self._next_due = NEVER
        self._known: dict[int, list[TimeWindow]] = {}
        self._keys_ended = 0
        # The windows' size and slide, the step of the panes, and by how much all are shifted (None: not drawn yet).
        self._size = spec.assigner.size_ms  # type: ignore[attr-defined]
        self._slide = getattr(spec.assigner, "slide_ms", self._size)
        self._step = getattr(spec.assigner, "pane_ms", self._size)
        self._offset: int | None = None

    def open(self) -> None:
        self._times.recover(self.context.operator_state)
        self._store = make_store(self.context, self._backend, self._spec.contents)
        self._evaluator.open()
        if hasattr(self._spec.assigner, "slide_ms"):
            self._offset = self._spec.assigner.offset_ms  # type: ignore[attr-defined]
        self._open = {window.start: window for window in self._store.table.namespaces()}
        self._next_due = self._find_next_due()

    # Records ------------------------------------------------------------------------------------------------------------

    def on_batch(self, batch: RowBatch, port: int = 0) -> None:
        self.context.pieces.run(self._take(batch))

    def _take(self, batch: RowBatch) -> Work:
        """In pieces where windows fire again; what is only put into them says nothing about how long that takes."""
        timestamps = batch.timestamps
        if not batch.values:
            return 0
        first = MIN_TIMESTAMP if timestamps is None else min(timestamps)
        if timestamps is None or first == MIN_TIMESTAMP:
            raise missing_timestamp().at(self.context.place)
        offset, step = self._offset, self._step
        if offset is None:
            offset = self._offset = self._own_assigner.get().shift_ms(self.context.clock.now_ms())
        pane = first - (first - offset) % step
        if max(timestamps) < pane + step:
            windows = self._known.get(pane) or self._windows_of(pane)
            if windows and windows[-1].end - 1 > self._times.watermark:
                for window in windows:
                    self._add(window, batch, None)
                self._backend.after_records(len(batch.values))
                return 0
        yield from self._add_parts(batch, split_by_pane(timestamps, offset, step))
        self._backend.after_records(len(batch.values))
        if not self.context.batch_mode:
            self._collector.flush()
        return 0

    def _windows_of(self, pane: int) -> list[TimeWindow]:
        """The windows that hold a pane, the latest first; none when it lies between two."""
        windows = self._known.get(pane)
        if windows is None:
            assert self._offset is not None
            size, slide = self._size, self._slide
            last = pane - (pane - self._offset) % slide
            windows = [TimeWindow(start, start + size) for start in range(last, pane - size, -slide)]
            if len(self._known) >= KNOWN_PANES:
                self._known.clear()
            self._known[pane] = windows
        return windows

    def _add_parts(self, batch: RowBatch, parts: dict[int, Part]) -> Iterator[int]:
        """Records of several panes, or of windows that are over."""
        watermark, lateness = self._times.watermark, self._lateness_ms
        on_time: dict[TimeWindow, list[Part]] = {}
        over: list[tuple[TimeWindow, Part]] = []
        in_none: list[Part] = []
        for pane, part in parts.items():
            taken = False
            for window in self._windows_of(pane):
                end = window.end - 1
                if min(end + lateness, MAX_WATERMARK) <= watermark:
                    break  # so are all that ended before
                taken = True
                if end > watermark:
                    on_time.setdefault(window, []).append(part)
                else:
                    over.append((window, part))
            if not taken:
                in_none.append(part)
        for window, parts_of_window in on_time.items():
            self._add(window, batch, join(parts_of_window))
        if over:
            yield from self._add_to_ended(batch, over)
        if in_none:
            assert batch.timestamps is not None
            for position in in_order(in_none):
                self._late.skipped(batch.values[position], batch.timestamps[position], watermark)

    def _add(self, window: TimeWindow, batch: RowBatch, part: Part | None) -> None:
        """Records of one window; ``part`` None for the whole batch."""
        assert self._store is not None
        assert batch.keys is not None
        keys, values = batch.keys, batch.values
        if part is not None and len(part) < len(values):
            keys, values = select(keys, part), select(values, part)
        if self._slide < self._size:
            values = values_apart(self.context, values)  # each window has records of its own
        try:
            self._store.add_all(window, keys, values)
        except Exception as error:
            if any(key_is_unusable(error, key) for key in keys):
                raise unusable_key(batch, self.context) from error
            raise user_error(self.context, error, values[self._store.table.failed_index]) from error
        if window.start not in self._open:
            self._open[window.start] = window
            self._next_due = min(self._next_due, self._due_time(window))

    def _add_to_ended(self, batch: RowBatch, over: list[tuple[TimeWindow, Part]]) -> Iterator[int]:
        """Records that are late, but not too late: each makes its window fire again, at once."""
        assert self._store is not None
        assert batch.keys is not None
        # A record's windows come the latest first, as the assigner gives them.
        steps = [(position, -window.start, window) for window, part in over for position in part]
        evaluator, collector, records = self._evaluator, self._collector, 0
        for position, _, window in sorted(steps, key=lambda step: step[:2]):
            key = batch.keys[position]
            self._add(window, batch, [position])
            self._backend.current_key = key
            elements = self._store.to_fire(window, key, window)
            records += 1
            if elements is not None:
                end = window.max_timestamp()
                rest = evaluator.begin(key, window, elements, end)
                while rest is not None:
                    yield max(records, collector.flush())
                    records = 0
                    rest = evaluator.go_on(rest, key, window, end)
            if records >= self.context.pieces.most_rows or collector.is_full:
                yield max(records, collector.flush())
                records = 0

    # Time ---------------------------------------------------------------------------------------------------------------

    def on_watermark(self, timestamp: int) -> None:
        self.context.pieces.run(self._pass_on(timestamp))

    def _pass_on(self, timestamp: int) -> Work:
        if timestamp > self._times.watermark:
            yield from self._advance(timestamp)
        self._collector.flush()
        self.output.watermark(timestamp)
        return 0

    def _advance(self, watermark: int) -> Iterator[int]:
        before, self._times.watermark = self._times.watermark, watermark
        if watermark < self._next_due:
            return
        windows = 0
        for _, dropped, window in self._events(before, watermark):
            yield from self._drop(window) if dropped else self._fire(window)
            windows += 1
            if windows >= self.context.pieces.most_rows or self._collector.is_full:
                yield max(windows, self._collector.flush())
                windows = 0
        self._next_due = self._find_next_due()

    def _events(self, before: int, watermark: int) -> list[Event]:
        """What is due, in the order of time. Without lateness a window's firing and its end are one event."""
        events: list[Event] = []
        for window in self._open.values():
            end = window.end - 1
            if before < end <= watermark and self._lateness_ms:
                events.append((end, False, window))
            dropped_at = end + self._lateness_ms
            if dropped_at <= watermark and (dropped_at < MAX_WATERMARK or not self._lateness_ms):
                events.append((dropped_at, True, window))
        events.sort(key=lambda event: event[0])
        return events

    def _due_time(self, window: TimeWindow) -> int:
        """When something happens next to a window."""
        end = window.end - 1
        return end if end > self._times.watermark else end + self._lateness_ms

    def _find_next_due(self) -> int:
        return min(map(self._due_time, self._open.values()), default=NEVER)

    def _fire(self, window: TimeWindow) -> Iterator[int]:
        """Evaluate a window that is kept for records that are late."""
        assert self._store is not None
        return self._evaluate(window, self._store.table.pane(window), over=False)

    def _drop(self, window: TimeWindow) -> Iterator[int]:
        """Take a window out; without lateness this is also when it is evaluated."""
        assert self._store is not None
        del self._open[window.start]
        pane = self._store.table.pop_pane(window)
        if not self._lateness_ms:
            yield from self._evaluate(window, pane, over=True)
        elif self._evaluator.has_clear:
            for keys, key in enumerate(pane, 1):
                self._backend.current_key = key
                self._evaluator.clear(key, window)
                if keys % self.context.pieces.most_rows == 0:
                    yield self.context.pieces.most_rows

    def _evaluate(self, window: TimeWindow, pane: Any, over: bool) -> Iterator[int]:
        """The results of all keys of a window; when it is over the window function hears of it key by key.

        They are emitted when they are many, and those of the last keys are left in the collector.
        """
        assert self._store is not None
        end = window.max_timestamp()
        evaluator = self._evaluator
        if evaluator.passes_on:
            contents = iter(pane.values())
            while some := list(islice(contents, self.context.pieces.most_rows)):
                try:
                    results = self._store.results(some)
                except Exception as error:
                    raise user_error(self.context, error).at(f"when {window} was evaluated") from error
                self._collector.take_all(results, end)
                yield from self._flushed(len(some))
            return
        keys, pieces = 0, self.context.pieces
        for key, stored in pane.items():
            self._backend.current_key = key
            elements = self._store.elements(stored)
            if elements is not None:
                rest = evaluator.begin(key, window, elements, end, is_last=over)
                while rest is not None:
                    yield max(keys + 1, self._collector.flush())
                    keys = 0
                    rest = evaluator.go_on(rest, key, window, end)
            if over:
                evaluator.clear(key, window)
            keys += 1
            if keys >= pieces.most_rows:
                yield max(keys, self._collector.flush())
                keys = 0

    def _flushed(self, records: int) -> Iterator[int]:
        """Emit what was gathered, once it is much."""
        if self._collector.is_full:
            yield max(records, self._collector.flush())

    def end_key(self, key: Any) -> None:
        """Every window of the key fires and ends."""
        self.context.pieces.run(self._end_key(key))

    def _end_key(self, key: Any) -> Work:
        yield from self._advance(MAX_WATERMARK)
        self._times.watermark = MIN_TIMESTAMP
        self._backend.clear_key(key)
        self._open.clear()
        self._next_due = NEVER
        self._keys_ended += 1
        if self._keys_ended % KEYS_PER_FLUSH == 0:
            self._collector.flush()
        return 0

    # Life ---------------------------------------------------------------------------------------------------------------

    def snapshot(self, checkpoint_id: int) -> Any:
        self._times.save(self.context.operator_state)
        return (self._times.snapshot(), self._own_assigner.snapshot())

    def restore(self, own: Any) -> None:
        if own is None:
            return
        watermark, shift_ms = own
        self._times.watermark = MIN_TIMESTAMP if watermark is None else watermark
        self._own_assigner.restore(shift_ms)

    def finish(self) -> None:
        self._collector.flush()

    def close(self) -> None:
        self._evaluator.close()
