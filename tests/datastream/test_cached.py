"""Cached streams: computed once, read by later jobs, forgotten when told to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.common import WatermarkStrategy
from penstock.datastream import OutputTag, ProcessFunction, RuntimeExecutionMode, StreamExecutionEnvironment
from penstock.datastream.data_stream import CachedDataStream
from penstock.errors import JobFailed, ProgramError


class Calls:
    """Counts in a file, which worker processes can write to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def __call__(self, value: Any) -> Any:
        with self.path.open("a") as file:
            file.write("x")
        return value

    @property
    def count(self) -> int:
        return len(self.path.read_text())


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


def rows(stream: Any) -> list[Any]:
    with stream.execute_and_collect() as results:
        return sorted(results)


@pytest.mark.parametrize("mode", [RuntimeExecutionMode.STREAMING, RuntimeExecutionMode.BATCH])
@pytest.mark.parametrize("parallelism", [1, 2])
def test_later_jobs_read_the_rows_and_compute_nothing(
    tmp_path: Path, parallelism: int, mode: RuntimeExecutionMode
) -> None:
    env = environment(parallelism).set_runtime_mode(mode)
    calls = Calls(tmp_path / "calls")
    cached = env.from_sequence(1, 100).map(calls).cache()
    assert rows(cached.map(lambda x: -x)) == list(range(-100, 0))
    assert calls.count == 100
    assert rows(cached) == list(range(1, 101))
    assert rows(cached.filter(lambda x: x > 98)) == [99, 100]
    assert calls.count == 100


def test_rows_that_are_forgotten_are_computed_and_kept_again(tmp_path: Path) -> None:
    env = environment()
    calls = Calls(tmp_path / "calls")
    cached = env.from_collection([1, 2]).map(calls).cache()
    assert rows(cached) == [1, 2]
    cached.invalidate()
    assert rows(cached) == [1, 2]
    assert calls.count == 4
    assert rows(cached) == [1, 2]
    assert calls.count == 4


def test_timestamps_are_kept_with_the_rows() -> None:
    env = environment()
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(
        lambda value, _: value * 10
    )

    class Times(ProcessFunction):
        def process_element(self, value: int, ctx: Any) -> Any:
            yield value, ctx.timestamp()

    cached = env.from_collection([1, 2]).assign_timestamps_and_watermarks(strategy).cache()
    assert rows(cached.process(Times())) == [(1, 10), (2, 20)]
    assert rows(cached.process(Times())) == [(1, 10), (2, 20)]


def test_a_job_that_failed_leaves_nothing_to_read(tmp_path: Path) -> None:
    env = environment()
    calls = Calls(tmp_path / "calls")
    fails = tmp_path / "fails"
    fails.touch()

    def fail_first(value: int) -> int:
        if fails.exists() and value == 2:
            raise ValueError("two")
        return value

    cached = env.from_collection([1, 2]).map(calls).map(fail_first).cache()
    with pytest.raises(JobFailed, match="two"):
        rows(cached)
    fails.unlink()
    assert rows(cached) == [1, 2]
    assert calls.count == 4


def test_the_rows_are_gone_with_the_environment(tmp_path: Path) -> None:
    env = environment()
    env.configure({"io.tmp.dirs": str(tmp_path)})
    cached = env.from_collection([1]).cache()
    assert rows(cached) == [1]
    assert [path.name.rpartition("-")[0] for path in tmp_path.iterdir()] == ["penstock-cache"]
    env.close()
    assert list(tmp_path.iterdir()) == []
    assert rows(cached) == [1]


def test_a_folder_that_cannot_be_written_to_fails_the_job_and_says_so(tmp_path: Path) -> None:
    env = environment()
    env.configure({"io.tmp.dirs": str(tmp_path)})
    cached = env.from_collection([1]).cache()
    (folder,) = tmp_path.iterdir()
    folder.rmdir()
    folder.write_text("a file where the folder was")
    with pytest.raises(JobFailed, match="rows of a cached stream cannot be written"):
        rows(cached)


def test_what_never_ends_cannot_be_cached() -> None:
    env = environment()
    env.socket_text_stream("127.0.0.1", 1).map(str).cache().print()
    with pytest.raises(ProgramError, match=r"cache\(\) is for bounded streams.*Socket Stream"):
        env.execute()


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda cached: cached.set_parallelism(2), "Set parallelism for CachedDataStream is not supported"),
        (lambda cached: cached.name("a"), "Set name for CachedDataStream is not supported"),
        (lambda cached: cached.get_name(), "Get name of CachedDataStream is not supported"),
        (lambda cached: cached.uid("a"), "Set uid for CachedDataStream is not supported"),
        (lambda cached: cached.disable_chaining(), "Disable chaining for CachedDataStream"),
        (lambda cached: cached.get_side_output(OutputTag("side")), "has no side outputs"),
        (lambda cached: cached.key_by(lambda x: x).cache(), "Cache for KeyedStream is not supported"),
    ],
)
def test_settings_of_operators_are_refused(use: Callable[[CachedDataStream], Any], message: str) -> None:
    with pytest.raises(ProgramError, match=f"{message}.*test_cached.py"):
        use(environment().from_collection([1]).cache())
