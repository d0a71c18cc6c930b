"""Event time of each partition by itself: watermarks, silence, alignment."""

from threading import Event
from typing import Any

import pytest

from penstock.common import Duration, Time, WatermarkStrategy
from penstock.connectors.collection.source import CollectionSource
from penstock.connectors.kafka.reader import KafkaReader
from penstock.contracts.watermarks import WatermarkGenerator, WatermarkOutput
from penstock.datastream import ProcessWindowFunction, StreamExecutionEnvironment
from penstock.datastream.connectors.hybrid_source import HybridSource
from penstock.datastream.window import TumblingEventTimeWindows
from tests.connectors.driving import RunningSource, running
from tests.connectors.kafka.talking import bounded, builder, new_topic, rows_of, write
from tests.services.kafka_broker import KafkaCluster

pytestmark = pytest.mark.service


class _AfterEachRecord(WatermarkGenerator):
    """A watermark with every record, so that what is late shows at once."""

    def on_event(self, event: Any, event_timestamp: int, output: WatermarkOutput) -> None:
        output.emit_watermark(event_timestamp - 1)

    def on_periodic_emit(self, output: WatermarkOutput) -> None:
        pass


class _Count(ProcessWindowFunction):
    """``(start of the window, records in it)``."""

    def process(self, key: Any, context: Any, elements: Any) -> Any:
        yield (context.window().start, len(list(elements)))


def _counts(stream: Any) -> Any:
    """Of windows of a second."""
    return stream.key_by(lambda _: 0).window(TumblingEventTimeWindows.of(Time.seconds(1))).process(_Count())


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_no_record_is_late_because_another_partition_was_read_first(
    kafka: KafkaCluster, parallelism: int
) -> None:
    topic = new_topic(kafka, partitions=3)
    for partition in range(3):
        for second in range(5):
            write(kafka, topic, ["x"] * 10, partition, timestamp=1_000 * (second + 1))
    strategy = WatermarkStrategy.for_generator(_AfterEachRecord)
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    with _counts(env.from_source(bounded(kafka, topic), strategy, "kafka")).execute_and_collect() as rows:
        assert sorted(rows) == [(1_000 * (second + 1), 30) for second in range(5)]


@pytest.mark.parametrize("parallelism", [1, 3])
def test_silent_partitions_and_readers_without_any_hold_nothing_back_once_they_are_idle(
    kafka: KafkaCluster, parallelism: int
) -> None:
    topic = new_topic(kafka, partitions=2)
    write(kafka, topic, ["x", "y"], 0, timestamp=1_000)
    write(kafka, topic, ["z"], 0, timestamp=2_500)
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_idleness(Duration.of_millis(300))
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    stream = _counts(env.from_source(builder(kafka, topic).build(), strategy, "kafka"))
    with stream.execute_and_collect() as rows:
        assert next(rows) == (1_000, 2)


def test_a_paused_split_gives_nothing_until_it_is_resumed_and_loses_nothing(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        write(kafka, topic, [f"{partition}:{n}" for n in range(6_000)], partition)
    running = RunningSource(bounded(kafka, topic))
    reader = running.readers[0]
    reader.pause_or_resume_splits([f"{topic}-0"], [])
    running.run_until(lambda: len(running.records) == 6_000)
    assert running.records == [f"1:{n}" for n in range(6_000)]
    (left,) = [split for split in reader.snapshot_state(1) if split.split_id() == f"{topic}-0"]
    assert left.offset == 0, "what is held is not read yet"
    reader.pause_or_resume_splits([], [f"{topic}-0"])
    assert running.run()[6_000:] == [f"0:{n}" for n in range(6_000)]
    running.close()


def test_a_hybrid_source_has_the_reader_of_kafka_pause_its_splits(kafka: KafkaCluster) -> None:
    topic = new_topic(kafka, partitions=2)
    for partition in range(2):
        write(kafka, topic, [f"{partition}:{n}" for n in range(100)], partition)
    source = HybridSource.builder(CollectionSource(["first"])).add_source(bounded(kafka, topic)).build()
    with running(source) as run:
        reader = run.readers[0]
        assert not reader.pauses_splits, "a collection is one split"
        while not reader.pauses_splits:
            run.step(0)
        reader.pause_or_resume_splits([f"{topic}-0"], [])
        run.run_until(lambda: len(run.records) == 101)
        assert run.records == ["first", *(f"1:{n}" for n in range(100))]
        reader.pause_or_resume_splits([], [f"{topic}-0"])
        assert run.run()[101:] == [f"0:{n}" for n in range(100)]


def test_a_hybrid_source_reads_one_topic_after_another(kafka: KafkaCluster) -> None:
    first, second = new_topic(kafka), new_topic(kafka)
    for topic in (first, second):
        write(kafka, topic, [f"{topic}:{n}" for n in range(100)])
    source = HybridSource.builder(bounded(kafka, first)).add_source(bounded(kafka, second)).build()
    assert rows_of(source) == [f"{topic}:{n}" for topic in (first, second) for n in range(100)]


def test_a_partition_that_is_ahead_waits_for_the_others_of_its_reader(
    kafka: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic(kafka, partitions=2)
    is_paused = Event()
    pause_or_resume = KafkaReader.pause_or_resume_splits

    def watched(reader: KafkaReader, to_pause: list[str], to_resume: list[str]) -> None:
        pause_or_resume(reader, to_pause, to_resume)
        if f"{topic}-0" in to_pause:
            is_paused.set()

    monkeypatch.setattr(KafkaReader, "pause_or_resume_splits", watched)
    write(kafka, topic, ["ahead"], 0, timestamp=100_000)
    write(kafka, topic, ["behind 100"], 1, timestamp=100)
    strategy = WatermarkStrategy.for_monotonous_timestamps()
    strategy = strategy.with_watermark_alignment("group", Duration.of_millis(500), Duration.of_millis(20))
    env = StreamExecutionEnvironment.get_execution_environment({"pipeline.auto-watermark-interval": "10 ms"})
    env.set_parallelism(1)
    stream = env.from_source(builder(kafka, topic).build(), strategy, "kafka")
    with stream.execute_and_collect() as rows:
        seen = [next(rows), next(rows)]
        while not is_paused.is_set():  # the job runs on while somebody waits for a row of it
            write(kafka, topic, ["behind 100"], 1, timestamp=100)
            seen.append(next(rows))
        write(kafka, topic, ["further ahead"], 0, timestamp=110_000)
        for timestamp in range(1_000, 102_000, 10_000):
            write(kafka, topic, [f"behind {timestamp}"], 1, timestamp=timestamp)
            while seen[-1] != f"behind {timestamp}":
                seen.append(next(rows))
        while "further ahead" not in seen:
            seen.append(next(rows))
    assert seen.index("further ahead") > seen.index("behind 91000")
