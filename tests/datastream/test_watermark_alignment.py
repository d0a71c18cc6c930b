"""Watermark alignment: who is ahead waits, nobody waits for the idle or the finished, and splits are paused one by one."""

from collections.abc import Iterable
from typing import Any

import pytest

from penstock.common import Duration, WatermarkStrategy
from penstock.contracts.source import InputStatus, ReaderOutput, SourceReader, SourceReaderContext
from penstock.contracts.watermarks import WatermarkStrategy as Strategy
from penstock.datastream import StreamExecutionEnvironment
from penstock.datastream.connectors.number_seq import NumberSequenceSource
from penstock.errors import JobFailed, ProgramError
from penstock.testing import CollectingSink, EmitWatermark, Idle, ManualJob, Pause, ScriptedSource

NONE = WatermarkStrategy.no_watermarks()


def aligned(drift_ms: int = 100, group: str = "together") -> Strategy:
    return NONE.with_watermark_alignment(group, drift_ms, Duration.of_millis(10))


class Sources:
    """A job of scripted sources, whose records are collected together."""

    def __init__(self, *scripts: Iterable[Any], strategies: list[Strategy] | None = None) -> None:
        env = StreamExecutionEnvironment.get_execution_environment()
        self._sink = CollectingSink()
        given = strategies or [aligned()] * len(scripts)
        streams = [
            env.from_source(ScriptedSource(list(script)), strategy, f"source {number}")
            for number, (script, strategy) in enumerate(zip(scripts, given, strict=True))
        ]
        streams[0].union(*streams[1:]).sink_to(self._sink)
        self.job = ManualJob(env)
        self.job.run_until_idle()

    def after(self, ms: int) -> list[Any]:
        for _ in range(0, ms, 5):
            if not self.job.is_done:
                self.job.advance(5)
        return list(self._sink.records if self.job.is_done else self._sink._here or ())


FAST = [EmitWatermark(500), Pause(20), "fast", EmitWatermark(2_000), Pause(20), "fast again"]


def test_a_source_that_is_ahead_waits_until_the_others_are_near() -> None:
    sources = Sources(FAST, [EmitWatermark(0), Pause(1_000), EmitWatermark(450), "slow", Pause(1_000)])
    assert sources.after(10) == []
    assert sources.after(900) == []
    assert sources.after(100) == ["slow", "fast"]
    assert sources.after(500) == ["slow", "fast"]
    assert sources.after(1_000) == ["slow", "fast", "fast again"]
    assert sources.job.is_done


def test_sources_within_the_drift_do_not_wait() -> None:
    sources = Sources(FAST, [EmitWatermark(0), Pause(1_000)], strategies=[aligned(2_000)] * 2)
    assert sources.after(50) == ["fast", "fast again"]


def test_sources_of_other_groups_do_not_wait() -> None:
    strategies = [aligned(), aligned(group="others"), NONE]
    slow = [EmitWatermark(0), Pause(1_000)]
    sources = Sources(FAST, slow, slow, strategies=strategies)
    assert sources.after(50) == ["fast", "fast again"]


def test_nobody_waits_for_an_idle_source_until_it_is_active_again() -> None:
    back = [EmitWatermark(0), Pause(15), Idle(), Pause(100), EmitWatermark(1), Pause(1_000)]
    sources = Sources([EmitWatermark(500), Pause(12), "fast", Pause(200), "fast again"], back)
    assert sources.after(10) == []
    assert sources.after(30) == ["fast"]
    assert sources.after(500) == ["fast"]
    assert sources.after(1_000) == ["fast", "fast again"]


def test_nobody_waits_for_a_source_at_its_end() -> None:
    sources = Sources(FAST, [EmitWatermark(0), Pause(30)])
    assert sources.after(20) == []
    assert sources.after(60) == ["fast", "fast again"]


def test_a_source_that_waits_does_not_become_idle() -> None:
    strategy = aligned().with_idleness(50)
    env = StreamExecutionEnvironment.get_execution_environment()
    env.get_config().set_auto_watermark_interval(10)
    sink = CollectingSink()
    fast = env.from_source(ScriptedSource([EmitWatermark(500), Pause(20), "fast"]), strategy, "fast")
    slow = env.from_source(ScriptedSource([EmitWatermark(0), Pause(1_000), "slow"]), aligned(), "slow")
    fast.union(slow).sink_to(sink)
    job = ManualJob(env)
    job.run_until_idle()
    for _ in range(20):
        job.advance(10)
    assert not sink._here
    job.advance(2_000)
    assert sorted(sink.records) == ["fast", "slow"]


def test_parallel_readers_in_several_workers_are_aligned_and_come_to_their_end() -> None:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(lambda value, _: value)
    strategy = strategy.with_watermark_alignment("numbers", 10, Duration.of_millis(1))
    streams = [env.from_source(NumberSequenceSource(1, 5_000), strategy, f"n{i}") for i in range(2)]
    with streams[0].union(streams[1]).execute_and_collect() as results:
        assert sorted(results) == sorted([*range(1, 5_001)] * 2)


class Splits(SourceReader):
    """Two splits with outputs of their own; the first is far ahead of the second."""

    def __init__(self, context: SourceReaderContext) -> None:
        self.paused: set[str] = set()
        self.story: list[str] = []
        self._context = context
        self._began_ms: int | None = None

    def poll_next(self, output: ReaderOutput) -> InputStatus:
        now_ms = self._context.clock().now_ms()
        if self._began_ms is None:
            self._began_ms = now_ms
            ahead, behind = (output.create_output_for_split(name) for name in ("ahead", "behind"))
            ahead.emit_watermark(1_000)
            behind.emit_watermark(0)
        if now_ms - self._began_ms >= 300:
            output.create_output_for_split("behind").emit_watermark(950)
        if now_ms - self._began_ms >= 600:
            output.collect_batch([*self.story])
            return InputStatus.END_OF_INPUT
        return InputStatus.NOTHING_AVAILABLE

    def wait_ms(self) -> int | None:
        return 100

    def add_splits(self, splits: list[Any]) -> None:
        pass

    def snapshot_state(self, checkpoint_id: int) -> list[Any]:
        return []


class PausingSplits(Splits):
    """The same, and able to pause."""

    pauses_splits = True

    def pause_or_resume_splits(self, to_pause: list[str], to_resume: list[str]) -> None:
        self.story.append(f"pause {to_pause} resume {to_resume}")


class SplitsSource(NumberSequenceSource):
    """A source with one of the readers above."""

    def __init__(self, reader: type[Splits]) -> None:
        super().__init__(1, 1)
        self._reader = reader

    def create_reader(self, context: SourceReaderContext) -> SourceReader:
        return self._reader(context)


def split_job(
    reader: type[Splits], options: dict[str, str] | None = None
) -> tuple[ManualJob, CollectingSink]:
    env = StreamExecutionEnvironment.get_execution_environment(options or {})
    sink = CollectingSink()
    env.from_source(SplitsSource(reader), aligned(), "splits").sink_to(sink)
    job = ManualJob(env)
    job.run_until_idle()
    for _ in range(100):
        if not job.is_done:
            job.advance(10)
    return job, sink


def test_a_split_that_is_ahead_of_others_in_its_reader_is_paused_and_resumed() -> None:
    job, sink = split_job(PausingSplits)
    job.result()
    assert sink.records == ["pause ['ahead'] resume []", "pause [] resume ['ahead']"]


def test_a_reader_that_cannot_pause_splits_fails_the_job_unless_that_is_allowed() -> None:
    job, _ = split_job(Splits)
    with pytest.raises(
        JobFailed, match=r"the splits ahead are ahead of the watermark 100 .*Splits cannot pause"
    ):
        job.result()
    job, _ = split_job(Splits, {"pipeline.watermark-alignment.allow-unaligned-source-splits": "true"})
    job.result()


def test_alignment_in_mid_stream_is_said_to_do_nothing() -> None:
    env = StreamExecutionEnvironment.get_execution_environment()
    with pytest.warns(UserWarning, match=r"holds back sources only.*test_watermark_alignment\.py:\d+"):
        stream = env.from_collection([1]).assign_timestamps_and_watermarks(aligned())
    with stream.execute_and_collect() as results:
        assert list(results) == [1]


@pytest.mark.parametrize("arguments", [("", 1), (None, 1), ("group", "soon"), ("group", 1, 0)])
def test_alignment_that_cannot_be_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ProgramError):
        NONE.with_watermark_alignment(*arguments)
