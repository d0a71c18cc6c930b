"""Small programs that go wrong, and what they say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.common import Time
from penstock.common.watermark_strategy import TimestampAssigner, WatermarkStrategy
from penstock.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from penstock.errors import JobFailed, PenstockError


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def rows_of(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


def failure_of(make: Callable[[StreamExecutionEnvironment], DataStream], parallelism: int = 1) -> JobFailed:
    """The failure of the job whose results are those of the stream that ``make`` writes."""
    with pytest.raises(JobFailed) as raised:
        rows_of(make(environment(parallelism)))
    return raised.value


def check_says(error: PenstockError, *parts: str) -> None:
    """Every part is in the text, and the text is short enough to be read."""
    text = str(error)
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"
    assert len(text) < 2_000, text


class StampedBy(TimestampAssigner):
    """Stamps records with what a function says."""

    def __init__(self, stamp: Callable[[Any], Any]) -> None:
        self._stamp = stamp

    def extract_timestamp(self, value: Any, record_timestamp: int) -> int:
        return self._stamp(value)  # type: ignore[no-any-return]


def stamped(stream: DataStream, stamp: Callable[[Any], Any] = lambda value: value * 1_000) -> DataStream:
    strategy: Any = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(StampedBy(stamp))
    return stream.assign_timestamps_and_watermarks(strategy)


def keyed_by_one(env: StreamExecutionEnvironment) -> KeyedStream:
    """The numbers 1 to 3, stamped 1 s apart, all of one key."""
    return stamped(env.from_collection([1, 2, 3])).key_by(lambda value: "one")


MADE_HERE = f"made at {Path(__file__).parent}/"
FIVE_SECONDS = Time.seconds(5)
