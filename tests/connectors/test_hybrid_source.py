"""Several sources as one."""

from pathlib import Path
from typing import Any

import pytest

from penstock.connectors.collection.source import CollectionSource
from penstock.connectors.discard.sink import DiscardingSink
from penstock.connectors.files.source import FileSource
from penstock.connectors.functions.source import FunctionSource, SourceFunction
from penstock.contracts.source import Boundedness, SplitEnumerator
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.data.types import Types
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.hybrid_source import HybridSource, SourceSwitchContext
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.errors import ProgramError
from penstock.formats.json import JsonLinesFormat
from penstock.testing import ScriptedSource
from tests.connectors.driving import RunningSource, read_all, running


def three() -> HybridSource:
    return (
        HybridSource.builder(NumberSequenceSource(1, 10))
        .add_source(CollectionSource([11, 12, 13]))
        .add_source(NumberSequenceSource(14, 20))
        .build()
    )


def test_sources_are_read_one_after_the_other() -> None:
    assert read_all(three()) == list(range(1, 21))


@pytest.mark.parametrize("parallelism", [2, 3, 5])
def test_no_reader_begins_the_next_source_before_all_have_ended_the_one_before(parallelism: int) -> None:
    records = read_all_in_order_of_emission(three(), parallelism)
    assert sorted(records[:10]) == list(range(1, 11))
    assert sorted(records[10:13]) == [11, 12, 13]
    assert sorted(records[13:]) == list(range(14, 21))


def read_all_in_order_of_emission(source: HybridSource, parallelism: int) -> list[Any]:
    with running(source, parallelism) as run:
        return to_the_end(run)


def to_the_end(run: RunningSource) -> list[Any]:
    """Poll all readers in turn without waiting for any: they wait for each other."""
    records: list[Any] = []
    while run.unfinished:
        for index in run.unfinished:
            before = len(run.outputs[index].records)
            run.step(index)
            records += run.outputs[index].records[before:]
    return records


@pytest.mark.parametrize("polls", range(12))
@pytest.mark.parametrize("later", [1, 2])
def test_nothing_is_lost_or_read_twice_when_a_job_is_restored_at_any_point(polls: int, later: int) -> None:
    with running(three(), 2) as first:
        for index in range(polls):
            if index % 2 in first.unfinished:
                first.step(index % 2)
        before, checkpoint = list(first.records), first.snapshot()
    with running(three(), later, checkpoint) as second:
        assert sorted(before + to_the_end(second)) == list(range(1, 21))


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_job_reads_them_all(parallelism: int) -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    stream = env.from_source(three(), WatermarkStrategy.no_watermarks(), "hybrid")
    with stream.execute_and_collect() as results:
        assert sorted(results) == list(range(1, 21))


def test_bad_records_are_counted_over_all_sources(tmp_path: Path) -> None:
    def source(name: str) -> FileSource:
        (tmp_path / name).write_text(f'{{"n": 1}}\nnonsense {name}\n{{"n": 2}}\n')
        lines = JsonLinesFormat(Types.ROW_NAMED(["n"], [Types.LONG()]), "skip")
        return FileSource.for_record_stream_format(lines, str(tmp_path / name)).build()

    both = HybridSource.builder(source("old")).add_source(source("new")).build()
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
    env.from_source(both, WatermarkStrategy.no_watermarks(), "both").sink_to(DiscardingSink())
    metrics = env.execute().get_metrics()
    assert metrics["Source: both.0.numRecordsOut"] == 4
    assert metrics["Source: both.0.numRecordsInErrors"] == 2


def test_event_times_come_through() -> None:
    first, second = CollectionSource(["a"], timestamps=[10]), CollectionSource(["b"], timestamps=[20])
    with running(HybridSource.builder(first).add_source(second).build()) as run:
        run.run()
        assert run.outputs[0].timestamps == [10, 20]


def test_a_hybrid_source_has_an_end_if_its_last_source_has() -> None:
    unbounded = FunctionSource(_Endless())
    assert three().get_boundedness() is Boundedness.BOUNDED
    hybrid = HybridSource.builder(NumberSequenceSource(1, 2)).add_source(unbounded).build()
    assert hybrid.get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED


class _Endless(SourceFunction):
    def run(self, ctx: Any) -> None:
        ctx.collect(1)

    def cancel(self) -> None:
        pass


def test_a_source_behind_one_without_an_end_is_refused() -> None:
    builder = HybridSource.builder(FunctionSource(_Endless()))
    with pytest.raises(ProgramError, match="would never be read"):
        builder.add_source(NumberSequenceSource(1, 2))


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(ProgramError, match="begins with a source, not with 5"):
        HybridSource.builder(5)  # type: ignore[arg-type]


def test_a_scripted_source_may_be_one_of_them() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = HybridSource.builder(CollectionSource([0])).add_source(ScriptedSource([1, 2])).build()
    with env.from_source(
        source, WatermarkStrategy.no_watermarks(), "hybrid"
    ).execute_and_collect() as results:
        assert list(results) == [0, 1, 2]


class Remembering(SplitEnumerator):
    """The enumerator of numbers that knows where they end, which only a run of the job tells."""

    def __init__(self, inner: SplitEnumerator, end: int) -> None:
        self.end = end
        self.closed = False
        self._inner = inner
        self.start = inner.start  # type: ignore[method-assign]
        self.add_reader = inner.add_reader  # type: ignore[method-assign]

    def handle_split_request(self, subtask: int) -> None:
        self._inner.handle_split_request(subtask)

    def add_splits_back(self, splits: list[Any], subtask: int) -> None:
        self._inner.add_splits_back(splits, subtask)

    def snapshot_state(self, checkpoint_id: int) -> Any:
        return self.end, self._inner.snapshot_state(checkpoint_id)

    def close(self) -> None:
        self.closed = True
        self._inner.close()


class NumbersUpTo(NumberSequenceSource):
    """Numbers up to one that is found when the job starts."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.found = end

    def create_enumerator(self, context: Any) -> SplitEnumerator:
        return Remembering(super().create_enumerator(context), self.found)

    def restore_enumerator(self, context: Any, state: Any) -> SplitEnumerator:
        end, inner = state
        return Remembering(super().restore_enumerator(context, inner), end)


def behind(count: int) -> Any:
    def make(context: SourceSwitchContext) -> NumbersUpTo:
        previous = context.get_previous_enumerator()
        assert isinstance(previous, Remembering)
        assert not previous.closed
        return NumbersUpTo(previous.end + 1, previous.end + count)

    return make


def made_on_the_way() -> HybridSource:
    return (
        HybridSource.builder(NumbersUpTo(1, 10))
        .add_source(behind(3), Boundedness.BOUNDED)
        .add_source(behind(7), Boundedness.BOUNDED)
        .build()
    )


@pytest.mark.parametrize("parallelism", [1, 2, 3])
def test_a_factory_makes_its_source_of_where_the_one_before_ended(parallelism: int) -> None:
    records = read_all_in_order_of_emission(made_on_the_way(), parallelism)
    assert sorted(records[:10]) == list(range(1, 11))
    assert sorted(records[10:13]) == [11, 12, 13]
    assert sorted(records[13:]) == list(range(14, 21))


@pytest.mark.parametrize("polls", range(14))
@pytest.mark.parametrize("later", [1, 2])
def test_sources_that_factories_made_go_on_after_a_restore(polls: int, later: int) -> None:
    with running(made_on_the_way(), 2) as first:
        for index in range(polls):
            if index % 2 in first.unfinished:
                first.step(index % 2)
        before, checkpoint = list(first.records), first.snapshot()
    with running(made_on_the_way(), later, checkpoint) as second:
        assert sorted(before + to_the_end(second)) == list(range(1, 21))


def test_a_job_of_several_processes_reads_what_factories_make() -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
    stream = env.from_source(made_on_the_way(), WatermarkStrategy.no_watermarks(), "hybrid")
    with stream.execute_and_collect() as results:
        assert sorted(results) == list(range(1, 21))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda context: 5, "makes a source, not 5"),
        (
            lambda context: FunctionSource(_Endless()),
            "has no end, and its factory was added .* as one of bounded",
        ),
    ],
)
def test_a_factory_that_makes_something_else_is_refused(make: Any, message: str) -> None:
    source = HybridSource.builder(NumberSequenceSource(1, 2)).add_source(make, Boundedness.BOUNDED).build()
    with pytest.raises(ProgramError, match=message):
        read_all(source)


def test_a_factory_makes_a_source_without_an_end_unless_it_is_said() -> None:
    builder = HybridSource.builder(NumberSequenceSource(1, 2)).add_source(behind(1))
    assert builder.build().get_boundedness() is Boundedness.CONTINUOUS_UNBOUNDED
    with pytest.raises(ProgramError, match=r"add_source\(function, Boundedness.BOUNDED\)"):
        builder.add_source(NumberSequenceSource(1, 2))
    with pytest.raises(ProgramError, match="made of sources, and functions that make them, not of 5"):
        HybridSource.builder(NumberSequenceSource(1, 2)).add_source(5)  # type: ignore[arg-type]
