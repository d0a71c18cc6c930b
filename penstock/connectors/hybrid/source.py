"""Several sources as one: each is read to its end by all readers before the next begins."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from penstock.contracts.effects import Effect
from penstock.contracts.source import (
    Boundedness,
    InputStatus,
    ReaderOutput,
    Source,
    SourceReader,
    SourceReaderContext,
    SplitEnumerator,
    SplitEnumeratorContext,
)
from penstock.data.code_pickle import dumps
from penstock.errors import ProgramError, ProtocolError
from penstock.metrics.kinds import MetricGroup


class SourceSwitchContext:
    """What a factory of a source may ask when its source is to begin."""

    def __init__(self, previous_enumerator: SplitEnumerator) -> None:
        self._previous_enumerator = previous_enumerator

    def get_previous_enumerator(self) -> SplitEnumerator:
        """The enumerator of the source before, which all readers have read to its end; it is not closed yet."""
        return self._previous_enumerator


SourceFactory = Callable[[SourceSwitchContext], Source]
"""Makes a source when the one before it is at its end; it is called once, where the coordinator is."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """A source, or what makes it."""

    source: Source | SourceFactory
    boundedness: Boundedness

    def is_fixed(self) -> bool:
        return isinstance(self.source, Source)

    def make(self, previous: SplitEnumerator) -> Source:
        assert not isinstance(self.source, Source)
        made = self.source(SourceSwitchContext(previous))
        if not isinstance(made, Source):
            raise ProgramError(f"a factory of a HybridSource makes a source, not {made!r}")
        if self.boundedness is Boundedness.BOUNDED and made.get_boundedness() is not Boundedness.BOUNDED:
            raise ProgramError(
                f"{made.display_name()} has no end, and its factory was added to a HybridSource as one of bounded sources; "
                "add it as the last, with Boundedness.CONTINUOUS_UNBOUNDED"
            )
        return made


class HybridSource(Source):
    """Reads bounded sources and then a last one, which may be unbounded.

    >>> from penstock.datastream.connectors.number_seq import NumberSequenceSource
    >>> source = HybridSource.builder(NumberSequenceSource(1, 3)).add_source(NumberSequenceSource(7, 9)).build()
    >>> source.get_boundedness().name
    'BOUNDED'
    """

    def __init__(self, stages: tuple[_Stage, ...]) -> None:
        self._stages = stages
        known = [stage.source for stage in stages if isinstance(stage.source, Source)]
        layouts = {source.output_layout for source in known}
        all_known = len(known) == len(stages)
        self.output_layout = layouts.pop() if len(layouts) == 1 and all_known else "rows"
        in_columns = [source for source in known if source.output_layout == "columns"]
        has_columns = bool(in_columns) or not all_known
        self.rows_have_names = has_columns and all(source.rows_have_names for source in in_columns)
        self.checks_types = all_known and all(source.checks_types for source in known)

    @staticmethod
    def builder(first_source: Source) -> "HybridSourceBuilder":
        """Begin with the source that is read first."""
        if not isinstance(first_source, Source):
            raise ProgramError(f"a HybridSource begins with a source, not with {first_source!r}")
        return HybridSourceBuilder().add_source(first_source)

    @property
    def effect(self) -> Effect:  # type: ignore[override]
        """The most of all; nothing is known of those that are made later."""
        sources = [stage.source for stage in self._stages]
        return max(each.effect if isinstance(each, Source) else Effect.CHANGES for each in sources)

    def get_boundedness(self) -> Boundedness:
        return self._stages[-1].boundedness

    def create_enumerator(self, context: SplitEnumeratorContext) -> SplitEnumerator:
        return _HybridEnumerator(self, context, 0, None, None)

    def restore_enumerator(self, context: SplitEnumeratorContext, state: Any) -> SplitEnumerator:
        index, inner, *made = state
        # What a factory made is in the checkpoint, as the enumerator that it asked is gone.
        return _HybridEnumerator(self, context, index, made[0] if made else None, (inner,))

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return _HybridReader(self, context)

    def display_name(self) -> str:
        return "Hybrid Source"

    def source_at(self, index: int, made: "_Made | None") -> Source:
        """The source with a number, unless a factory has ``made`` it."""
        found = self._stages[index].source if made is None else made.source
        assert isinstance(found, Source)
        return found

    def make(self, index: int, previous: SplitEnumerator) -> "_Made | None":
        """What the factory at a number makes after the source of ``previous`` has been read; None where there is none."""
        if self._stages[index].is_fixed():
            return None
        made = self._stages[index].make(previous)
        if made.output_layout == "columns" and made.rows_have_names is not self.rows_have_names:
            raise ProgramError(
                f"{made.display_name()} gives rows {'with' if made.rows_have_names else 'without'} names, and the other "
                "sources of the HybridSource do not"
            )
        return _Made(made)

    def is_last(self, index: int) -> bool:
        """Whether no source comes behind that with a number."""
        return index == len(self._stages) - 1


class HybridSourceBuilder:
    """Collects the sources in the order in which they are read."""

    def __init__(self) -> None:
        self._stages: list[_Stage] = []

    def add_source(
        self, source: Source | SourceFactory, boundedness: Boundedness | None = None
    ) -> "HybridSourceBuilder":
        """Read ``source`` when all before it are at their end.

        In place of a source there may be a function that makes it when its turn comes, of a :class:`SourceSwitchContext`:
        so it may begin where the one before has ended. ``boundedness`` says of such a function what it makes; a source
        without an end unless given, which only the last may be.
        """
        if not isinstance(source, Source) and (isinstance(source, type) or not callable(source)):
            raise ProgramError(
                f"a HybridSource is made of sources, and functions that make them, not of {source!r}"
            )
        stage = _Stage(source, _boundedness_of(source, boundedness))
        if self._stages and self._stages[-1].boundedness is not Boundedness.BOUNDED:
            before = self._stages[-1]
            hint = (
                ""
                if before.is_fixed()
                else "; of a function say so: add_source(function, Boundedness.BOUNDED)"
            )
            raise ProgramError(
                f"{_name_of(before.source)} has no end, so {_name_of(source)} behind it would never be read; "
                f"all sources of a HybridSource but the last must be bounded{hint}"
            )
        self._stages.append(stage)
        return self

    def build(self) -> HybridSource:
        """The source."""
        return HybridSource(tuple(self._stages))


def _boundedness_of(source: Source | SourceFactory, given: Boundedness | None) -> Boundedness:
    if given is not None and not isinstance(given, Boundedness):
        raise ProgramError(f"boundedness is a Boundedness, not {given!r}")
    if isinstance(source, Source):
        return source.get_boundedness()
    return Boundedness.CONTINUOUS_UNBOUNDED if given is None else given


def _name_of(source: Source | SourceFactory) -> str:
    return source.display_name() if isinstance(source, Source) else "what the function makes"


class _Made:
    """A source on its way to the readers and into checkpoints: in one process itself, elsewhere with all its functions."""

    __slots__ = ("source",)

    def __init__(self, source: Source) -> None:
        self.source = source

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (dumps(self.source),)


def _unpack(pickled: bytes) -> _Made:
    return _Made(pickle.loads(pickled))


@dataclass(frozen=True, slots=True)
class HybridSplit:
    """A split of one of the sources."""

    source_index: int
    split: Any

    def split_id(self) -> str:
        return f"{self.source_index}-{self.split.split_id()}"


@dataclass(frozen=True, slots=True)
class _SwitchTo:
    source_index: int
    made: _Made | None


@dataclass(frozen=True, slots=True)
class _NoMoreSplits:
    source_index: int


@dataclass(frozen=True, slots=True)
class _Finished:
    source_index: int


@dataclass(frozen=True, slots=True)
class _OfSource:
    source_index: int
    event: Any


class _HybridEnumerator(SplitEnumerator):
    """Has the enumerator of the source that is being read; readers that start are told which that is."""

    def __init__(
        self,
        hybrid: HybridSource,
        context: SplitEnumeratorContext,
        index: int,
        made: _Made | None,
        restored: tuple[Any] | None,
    ) -> None:
        self._hybrid = hybrid
        self._context = context
        self._index = index
        self._made = made
        self._finished: set[int] = set()
        self._index_at: dict[int, int] = {}
        self._safe_index = index
        self._inner = self._begin(restored)

    def _begin(self, restored: tuple[Any] | None) -> SplitEnumerator:
        source = self._hybrid.source_at(self._index, self._made)
        context = _ForEnumerator(self._context, self._index)
        if restored is None:
            return source.create_enumerator(context)
        return source.restore_enumerator(context, restored[0])

    def start(self) -> None:
        self._inner.start()

    def add_reader(self, subtask: int) -> None:
        self._context.send_event_to_reader(subtask, _SwitchTo(self._index, self._made))
        self._inner.add_reader(subtask)

    def handle_split_request(self, subtask: int) -> None:
        self._inner.handle_split_request(subtask)

    def handle_source_event(self, subtask: int, event: Any) -> None:
        match event:
            case _Finished(index) if index == self._index:
                self._finished.add(subtask)
                if len(self._finished) == self._context.current_parallelism():
                    self._switch()
            case _OfSource(index, inner_event) if index == self._index:
                self._inner.handle_source_event(subtask, inner_event)

    def _switch(self) -> None:
        made = self._hybrid.make(self._index + 1, self._inner)
        self._inner.close()
        self._index, self._made = self._index + 1, made
        self._finished.clear()
        self._inner = self._begin(None)
        readers = self._context.registered_readers()
        for subtask in readers:
            self._context.send_event_to_reader(subtask, _SwitchTo(self._index, made))
        self._inner.start()
        for subtask in readers:
            self._inner.add_reader(subtask)

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        if self._safe_index != self._index:
            # The reader goes back to a source whose enumerator is closed; then everything has to go back, which this brings.
            raise ProtocolError(
                f"reader {subtask} goes back to source {self._safe_index} when source {self._index} is being read already"
            )
        self._finished.discard(subtask)
        self._inner.add_splits_back([split.split for split in splits], subtask)

    def snapshot_state(self, checkpoint_id: int) -> Any:
        self._index_at[checkpoint_id] = self._index
        inner = self._inner.snapshot_state(checkpoint_id)
        return (self._index, inner) if self._made is None else (self._index, inner, self._made)

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self._safe_index = self._index_at.get(checkpoint_id, self._safe_index)
        for older in [each for each in self._index_at if each <= checkpoint_id]:
            del self._index_at[older]

    def close(self) -> None:
        self._inner.close()


class _ForEnumerator:
    """What the enumerator of one source may ask."""

    def __init__(self, context: SplitEnumeratorContext, index: int) -> None:
        self._context = context
        self._index = index

    def current_parallelism(self) -> int:
        return self._context.current_parallelism()

    def registered_readers(self) -> list[int]:
        return self._context.registered_readers()

    def assign_split(self, split: Any, subtask: int) -> None:
        self._context.assign_split(HybridSplit(self._index, split), subtask)

    def signal_no_more_splits(self, subtask: int) -> None:
        self._context.send_event_to_reader(subtask, _NoMoreSplits(self._index))

    def send_event_to_reader(self, subtask: int, event: Any) -> None:
        self._context.send_event_to_reader(subtask, _OfSource(self._index, event))

    def call_async(self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None]) -> None:
        self._context.call_async(work, then)

    def call_at_interval(
        self, work: Callable[[], Any], then: Callable[[Any, BaseException | None], None], interval_ms: int
    ) -> None:
        self._context.call_at_interval(work, then, interval_ms)

    def configuration(self) -> dict[str, str]:
        return self._context.configuration()


class _HybridReader(SourceReader):
    """Has the reader of the source that is being read, from the enumerator's word to that reader's end."""

    def __init__(self, hybrid: HybridSource, context: SourceReaderContext) -> None:
        self._hybrid = hybrid
        self._context = context
        self._index = -1
        self._inner: SourceReader | None = None
        self._held: list[HybridSplit] = []  # until their source is read

    def add_splits(self, splits: list[Any]) -> None:
        if self._inner is not None:
            self._inner.add_splits([each.split for each in splits if each.source_index == self._index])
        self._held += [each for each in splits if self._inner is None or each.source_index != self._index]

    def handle_source_event(self, event: Any) -> None:
        match event:
            case _SwitchTo(index, made):
                self._switch(index, self._hybrid.source_at(index, made))
            case _NoMoreSplits(index) if index == self._index and self._inner is not None:
                self._inner.notify_no_more_splits()
            case _OfSource(index, inner_event) if index == self._index and self._inner is not None:
                self._inner.handle_source_event(inner_event)
        self._context.wake_up()

    def _switch(self, index: int, source: Source) -> None:
        """The reader before, if there was one, has been closed at its end."""
        self._index = index
        self._inner = source.create_reader(_ForReader(self._context, index))
        self.pauses_splits = self._inner.pauses_splits
        mine = [each.split for each in self._held if each.source_index == index]
        self._held = [each for each in self._held if each.source_index != index]
        if mine:
            self._inner.add_splits(mine)
        self._inner.start()

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        if self._inner is None:
            return InputStatus.NOTHING_AVAILABLE
        status = self._inner.poll_next(output)
        if status is not InputStatus.END_OF_INPUT or self._hybrid.is_last(self._index):
            return status
        inner, self._inner = self._inner, None
        inner.close()
        self._context.send_source_event(_Finished(self._index))
        return InputStatus.NOTHING_AVAILABLE

    def wait_ms(self) -> int | None:
        return None if self._inner is None else self._inner.wait_ms()

    def fileno(self) -> int | None:
        return None if self._inner is None else self._inner.fileno()

    def pause_or_resume_splits(self, to_pause: list[str], to_resume: list[str]) -> None:
        if self._inner is not None:
            self._inner.pause_or_resume_splits(to_pause, to_resume)

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        inner = [] if self._inner is None else self._inner.snapshot_state(checkpoint_id)
        return [*(HybridSplit(self._index, split) for split in inner), *self._held]

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        if self._inner is not None:
            self._inner.notify_checkpoint_complete(checkpoint_id)

    def notify_checkpoint_aborted(self, checkpoint_id: int) -> None:
        if self._inner is not None:
            self._inner.notify_checkpoint_aborted(checkpoint_id)

    def close(self) -> None:
        if self._inner is not None:
            self._inner.close()


class _ForReader:
    """What the reader of one source may ask: the same, with its messages addressed."""

    def __init__(self, context: SourceReaderContext, index: int) -> None:
        self._context = context
        self._index = index
        self.index_of_subtask = context.index_of_subtask
        self.current_parallelism = context.current_parallelism
        self.send_split_request = context.send_split_request
        self.wake_up = context.wake_up
        self._metrics = context.metric_group().for_successor()
        self.configuration = context.configuration
        self.clock = context.clock
        self.runtime_context = context.runtime_context
        self.apart = context.apart

    def metric_group(self) -> MetricGroup:
        return self._metrics

    def checkpoints_of(self, function: Any) -> Any:
        return self._context.checkpoints_of(function)

    def send_source_event(self, event: Any) -> None:
        self._context.send_source_event(_OfSource(self._index, event))
