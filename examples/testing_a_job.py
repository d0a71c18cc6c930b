"""Testing your own job: the function alone, in every way that it can be run, and the whole job with a clock that you move.

Run it with ``python examples/testing_a_job.py``, or its tests with ``pytest examples/testing_a_job.py``. It prints::

    test_the_function_alone passed
    test_however_it_is_run_the_rows_are_the_same passed
    test_the_job_with_a_clock_that_stands passed
"""

from penstock.common import Time, WatermarkStrategy
from penstock.datastream import DataStream, ReduceFunction, StreamExecutionEnvironment
from penstock.datastream.window import TumblingProcessingTimeWindows
from penstock.testing import (
    CollectingSink,
    KeyedOneInputHarness,
    ManualJob,
    Pause,
    ScriptedSource,
    StreamRecord,
    operator_of,
    run_in_all_modes,
)


class Longest(ReduceFunction):
    """The longest word so far."""

    def reduce(self, value1: str, value2: str) -> str:
        """Of two words the longer one; of equal ones the first."""
        return max(value1, value2, key=len)


def longest_each_second(words: DataStream) -> DataStream:
    """The job: a function of streams, so that tests can give it streams of their own."""
    windows = words.key_by(lambda word: word[0]).window(TumblingProcessingTimeWindows.of(Time.seconds(1)))
    return windows.reduce(Longest())


def test_the_function_alone() -> None:
    """Real state and timers, and no job around them."""
    harness = KeyedOneInputHarness(Longest(), lambda word: word[0])
    harness.process_elements(["at", "by", "all", "a"])
    assert harness.extract_output_values() == ["at", "by", "all", "all"]


def test_however_it_is_run_the_rows_are_the_same() -> None:
    """One by one, in batches, restored from a snapshot at each step, and with the keys spread over more subtasks."""
    spec, keys = operator_of(lambda words: words.key_by(lambda word: word[0]).reduce(Longest()))
    run_in_all_modes(spec, [StreamRecord("at"), StreamRecord("all")], ["at", "all"], key_selectors=keys)


def test_the_job_with_a_clock_that_stands() -> None:
    """Processing time moves only by ``advance``: nobody waits, and nothing depends on how fast the machine is."""
    env = StreamExecutionEnvironment.get_execution_environment()
    # The last pause keeps the source open: at the end of a job, windows of processing time that are open are given up.
    script = ScriptedSource(["at", "all", Pause(5_000), "another", Pause(5_000)])
    sink = CollectingSink()
    longest_each_second(env.from_source(script, WatermarkStrategy.no_watermarks(), "words")).sink_to(sink)
    with ManualJob(env) as job:
        job.advance(1_000)
        assert sink.records == ["all"]
        job.advance(4_000)
        job.advance(1_000)
        assert sink.records == ["all", "another"]


if __name__ == "__main__":
    for test in (
        test_the_function_alone,
        test_however_it_is_run_the_rows_are_the_same,
        test_the_job_with_a_clock_that_stands,
    ):
        test()
        print(f"{test.__name__} passed")
