"""The source of generated records: its parts, its rate and its positions."""

from typing import Any

import pytest

from penstock.contracts.source import InputStatus
from penstock.contracts.watermarks import WatermarkStrategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.datagen import (
    DataGeneratorSource,
    GeneratorFunction,
    RateLimiter,
    RateLimiterStrategy,
)
from penstock.datastream.functions import CheckpointListener, MapFunction
from penstock.errors import ProgramError
from penstock.testing import CollectingSink, ManualJob
from tests.connectors.driving import read_all, read_with_restore, running


def text(index: int) -> str:
    return f"record {index}"


@pytest.mark.parametrize(("count", "parallelism"), [(0, 1), (1, 3), (10, 1), (10, 3), (10_000, 2)])
def test_every_index_is_made_into_a_record_once_at_any_parallelism(count: int, parallelism: int) -> None:
    records = read_all(DataGeneratorSource(text, count), parallelism)
    assert sorted(records) == sorted(map(text, range(count)))


@pytest.mark.parametrize("later", [1, 2, 3])
def test_readers_go_on_behind_the_last_record_of_a_checkpoint(later: int) -> None:
    source = DataGeneratorSource(lambda index: index, 20, RateLimiterStrategy.per_second(100))
    assert sorted(read_with_restore(source, [0, 1, 0, 1], 2, later)) == list(range(20))


@pytest.mark.parametrize("rate", [1, 3, 1_000, 7_777, 100_000])
def test_records_come_at_the_rate(rate: int) -> None:
    seconds = 3
    source = DataGeneratorSource(lambda index: index, rate * 10, RateLimiterStrategy.per_second(rate))
    polls = 0
    with running(source) as run:
        end_ms = run.clock.now_ms() + seconds * 1_000
        while run.clock.now_ms() < end_ms:
            polls += 1
            if run.step(0) is InputStatus.NOTHING_AVAILABLE:
                wait = run.readers[0].wait_ms()
                assert wait
                run.clock.advance(min(wait, end_ms - run.clock.now_ms()))
        assert abs(len(run.records) - rate * seconds) <= rate / 1_000 + 1  # the clock goes by milliseconds
    assert polls <= 2 * min(rate, 1_000) * seconds + 20  # the first batches are small


def test_the_readers_share_the_rate() -> None:
    source = DataGeneratorSource(lambda index: index, 1_000, RateLimiterStrategy.per_second(100))
    with running(source, 2) as run:
        for _ in range(200):
            for index in (0, 1):
                run.step(index)
            run.clock.advance(10)
        assert 198 <= len(run.records) <= 202


def test_a_source_that_was_held_up_makes_up_for_one_second_at_most() -> None:
    source = DataGeneratorSource(lambda index: index, 10_000, RateLimiterStrategy.per_second(100))
    with running(source) as run:
        run.step(0)
        run.clock.advance(3_600_000)
        while run.step(0) is InputStatus.MORE_AVAILABLE:
            pass
        assert len(run.records) == 1 + 101


def test_records_wait_for_checkpoints() -> None:
    source = DataGeneratorSource(lambda index: index, 12, RateLimiterStrategy.per_checkpoint(10))
    with running(source, 2) as run:
        counts = []
        for checkpoint_id in (1, 2):
            for index in (0, 1) * 3:
                if index in run.unfinished:
                    run.step(index)
            counts.append(len(run.records))
            assert [reader.wait_ms() for reader in run.readers] == [None, None]
            run.woken[0].clear()
            for reader in run.readers:
                reader.notify_checkpoint_complete(checkpoint_id)
            assert run.woken[0].is_set()
        assert counts == [10, 12]
        assert sorted(run.records) == list(range(12))


def test_records_per_checkpoint_are_counted_anew_after_a_restore() -> None:
    source = DataGeneratorSource(lambda index: index, 7, RateLimiterStrategy.per_checkpoint(5))
    with running(source) as first:
        first.run_until(lambda: first.step(0) is InputStatus.NOTHING_AVAILABLE)
        before, checkpoint = list(first.records), first.snapshot()
    with running(source, 1, checkpoint) as second:
        assert (before, second.run()) == ([0, 1, 2, 3, 4], [5, 6])


class EveryOther(RateLimiterStrategy, RateLimiter):
    """One record for each checkpoint with an even number."""

    def __init__(self) -> None:
        self.left = 0

    def create_rate_limiter(self, parallelism: int) -> RateLimiter:
        return EveryOther()

    def permitted(self, now_ms: int) -> int:
        return self.left

    def used(self, records: int) -> None:
        self.left -= records

    def wait_ms(self, now_ms: int) -> int | None:
        return 0 if self.left else None

    def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
        self.left += checkpoint_id % 2 == 0


def test_a_limiter_of_ones_own_hears_of_checkpoints() -> None:
    with running(DataGeneratorSource(lambda index: index, 9, EveryOther())) as run:
        for checkpoint_id in range(1, 6):
            run.step(0)
            run.readers[0].notify_checkpoint_complete(checkpoint_id)
        assert run.records == [0, 1]


def test_a_job_takes_the_checkpoints_that_its_source_waits_for() -> None:
    completed = []

    class Watching(MapFunction, CheckpointListener):
        def map(self, value: int) -> int:
            return value

        def notify_checkpoint_complete(self, checkpoint_id: int) -> None:
            completed.append(checkpoint_id)

    env = StreamExecutionEnvironment.get_execution_environment().enable_checkpointing(10)
    source = DataGeneratorSource(lambda index: index, 10, RateLimiterStrategy.per_checkpoint(3))
    stream = env.from_source(source, WatermarkStrategy.no_watermarks(), "generated").map(Watching())
    with stream.execute_and_collect() as results:
        assert list(results) == list(range(10))
    assert len(completed) >= 3


def test_a_source_that_waits_for_checkpoints_that_nobody_takes_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    source = DataGeneratorSource(lambda index: index, 3, RateLimiterStrategy.per_checkpoint(3))
    env.from_source(source, WatermarkStrategy.no_watermarks(), "generated").sink_to(CollectingSink())
    ManualJob(env).run_until_idle()
    assert (
        "waits for checkpoints, and none are taken by themselves: set execution.checkpointing.interval"
        in caplog.text
    )


def test_a_clock_that_is_set_back_does_not_stop_the_source() -> None:
    limiter = RateLimiterStrategy.per_second(1).create_rate_limiter(1)
    assert limiter is not None
    assert limiter.permitted(1_000_000) == 1
    assert limiter.permitted(0) == 1


class Numbered(GeneratorFunction):
    def __init__(self) -> None:
        self.calls: list[str] = []

    def open(self, reader_context: Any) -> None:
        self.calls.append(f"open {reader_context.index_of_subtask()}")

    def map(self, value: int) -> Any:
        return value + 1

    def close(self) -> None:
        self.calls.append("close")


def test_a_generator_function_is_opened_and_closed() -> None:
    function = Numbered()
    assert read_all(DataGeneratorSource(function, 3)) == [1, 2, 3]
    assert function.calls == ["open 0", "close"]


def test_a_job_that_waits_for_its_rate_is_idle() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    sink = CollectingSink()
    source = DataGeneratorSource(text, 3, RateLimiterStrategy.per_second(0.5))
    env.from_source(source, WatermarkStrategy.no_watermarks(), "generated").sink_to(sink)
    job = ManualJob(env)
    job.run_until_idle()
    assert sink.records == ["record 0"]
    job.advance(1_999)
    assert sink.records == ["record 0"]
    job.advance(1)
    assert sink.records == ["record 0", "record 1"]
    job.advance(2_000)
    assert job.status.name == "FINISHED"


def test_an_error_of_the_function_names_the_index() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        read_all(DataGeneratorSource(lambda index: 1 // (index - 2), 5))
    assert caught.value.__notes__ == ["the index was 2"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DataGeneratorSource(5, 1), "generator_function is a GeneratorFunction"),  # type: ignore[arg-type]
        (lambda: DataGeneratorSource(Numbered, 1), r"write Numbered\(\)"),  # type: ignore[arg-type]
        (lambda: DataGeneratorSource(text, -1), "count is the number of records, not -1"),
        (lambda: DataGeneratorSource(text, 1, 5), "per_second"),  # type: ignore[arg-type]
        (lambda: RateLimiterStrategy.per_second(0), "must be a positive number, not 0"),
        (lambda: RateLimiterStrategy.per_checkpoint(0), "a whole number above 0, not 0"),
        (
            lambda: RateLimiterStrategy.per_checkpoint(2).create_rate_limiter(3),
            "2 records per checkpoint are fewer than",
        ),
    ],
)
def test_arguments_that_mean_nothing_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        make()
