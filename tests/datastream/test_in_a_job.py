"""What functions are given by the environment, and what it hears of its jobs: cached files, accumulators, listeners."""

from pathlib import Path
from typing import Any

import pytest

from penstock.contracts.accumulators import IntCounter
from penstock.datastream import MapFunction, StreamExecutionEnvironment
from penstock.errors import JobFailed, ProgramError


def environment(parallelism: int = 1) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)


class Translate(MapFunction):
    """Answers with the line of a cached file."""

    def open(self, runtime_context: Any) -> None:
        cache = runtime_context.get_distributed_cache()
        self.lines = Path(cache.get_file("words")).read_text().split()

    def map(self, value: int) -> str:
        return self.lines[value]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_functions_find_a_cached_file_by_its_name(tmp_path: Path, parallelism: int) -> None:
    words = tmp_path / "a, b.txt"
    words.write_text("zero one two")
    env = environment(parallelism)
    env.register_cached_file(str(words), "words")
    env.register_cached_file(str(tmp_path), "folder", executable=True)
    with env.from_collection([0, 1, 2]).rebalance().map(Translate()).execute_and_collect() as results:
        assert sorted(results) == ["one", "two", "zero"]


def test_a_file_that_nobody_registered_is_named_with_those_that_were(tmp_path: Path) -> None:
    env = environment()
    env.register_cached_file(str(tmp_path), "folder")
    env.from_collection([0]).map(Translate()).print()
    with pytest.raises(JobFailed, match="no file was registered as 'words'; registered are: folder"):
        env.execute()


def test_a_cached_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    env = environment()
    env.register_cached_file(str(tmp_path / "gone.txt"), "words")
    env.from_collection([0]).map(Translate()).print()
    with pytest.raises(JobFailed, match=r"the cached file 'words' is not at .*gone\.txt"):
        env.execute()


def test_a_path_that_cannot_be_written_in_the_option_is_refused() -> None:
    with pytest.raises(ProgramError, match="cannot have ';' in its path"):
        environment().register_cached_file("a;b", "words")


class Counting(MapFunction):
    def open(self, runtime_context: Any) -> None:
        self.seen = IntCounter()
        runtime_context.add_accumulator("seen", self.seen)

    def map(self, value: Any) -> Any:
        self.seen.add(1)
        return value


@pytest.mark.parametrize("parallelism", [1, 2])
def test_accumulators_of_all_subtasks_are_one_in_the_result(parallelism: int) -> None:
    env = environment(parallelism)
    env.from_sequence(1, 1000).rebalance().map(Counting()).filter(lambda value: False).print()
    assert env.execute().get_accumulator_result("seen") == 1000


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, Any]] = []

    def on_job_submitted(self, client: Any, error: Any) -> None:
        self.heard.append(("submitted", client, error))

    def on_job_executed(self, result: Any, error: Any) -> None:
        self.heard.append(("executed", result, error))


def test_a_listener_hears_of_the_job_and_of_its_result() -> None:
    env, listener = environment(), Listener()
    env.register_job_listener(listener)
    env.from_collection([1]).map(Counting()).print()
    result = env.execute()
    (_, client, submit_error), (_, heard, error) = listener.heard
    assert [what for what, _, _ in listener.heard] == ["submitted", "executed"]
    assert client.get_job_id() == result.get_job_id()
    assert heard is result
    assert (submit_error, error) == (None, None)


def test_a_listener_hears_of_a_failure() -> None:
    env, listener = environment(), Listener()
    env.register_job_listener(listener)
    env.from_collection([0]).map(lambda value: 1 // value).print()
    with pytest.raises(JobFailed) as failed:
        env.execute()
    what, result, error = listener.heard[-1]
    assert (what, result) == ("executed", None)
    assert error is failed.value


def test_listeners_that_were_cleared_hear_nothing() -> None:
    env, listener = environment(), Listener()
    env.register_job_listener(listener)
    env.clear_job_listeners()
    env.from_collection([1]).print()
    env.execute()
    assert listener.heard == []
