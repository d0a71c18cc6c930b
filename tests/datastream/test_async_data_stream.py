"""AsyncDataStream in whole jobs: in this process, in worker processes, inside a running event loop."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from penstock.common import Time, Types
from penstock.datastream import (
    AsyncDataStream,
    AsyncFunction,
    AsyncRetryStrategy,
    DataStream,
    StreamExecutionEnvironment,
)
from penstock.datastream.async_retry_predicates import empty_result_predicate
from penstock.errors import JobCancelled, JobFailed, ProgramError
from penstock.testing import CollectingSink, ManualJob

LONG = Time.seconds(30)


def numbers(count: int, parallelism: int = 1) -> DataStream:
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(parallelism)
    return env.from_sequence(1, count)


def values(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as results:
        return list(results)


class Gathering:
    """Answers only when ``size`` calls are under way at once."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.most = self.now = 0
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self, value: int) -> list[int]:
        self.now += 1
        self.most = max(self.most, self.now)
        gate = asyncio.get_running_loop().create_future()
        self.waiting.append(gate)
        if len(self.waiting) == self.size:
            for other in self.waiting:
                other.set_result(None)
            self.waiting.clear()
        await gate
        self.now -= 1
        return [value]


@pytest.mark.parametrize("wait", [AsyncDataStream.ordered_wait, AsyncDataStream.unordered_wait])
def test_calls_are_under_way_together_and_never_more_than_the_capacity(
    wait: Callable[..., DataStream],
) -> None:
    gathering = Gathering(10)
    assert sorted(values(wait(numbers(200), gathering, LONG, 10))) == list(range(1, 201))
    assert gathering.most == 10


class Slow(AsyncFunction):
    """The first call ends only after the last has begun."""

    async def async_invoke(self, value: int) -> list[int]:
        if value == 1:
            self.last = asyncio.Event()
            await self.last.wait()
        elif value == 5:
            self.last.set()
        return [value * 10]


def test_ordered_keeps_the_order_and_unordered_does_not() -> None:
    assert values(AsyncDataStream.ordered_wait(numbers(5), Slow(), LONG)) == [10, 20, 30, 40, 50]
    unordered = values(AsyncDataStream.unordered_wait(numbers(5), Slow(), LONG))
    assert unordered[-1] == 10
    assert sorted(unordered) == [10, 20, 30, 40, 50]


async def double(value: int) -> list[int]:
    await asyncio.sleep(0)
    return [2 * value]


def test_two_async_functions_follow_one_another_with_others_between_and_behind() -> None:
    first = AsyncDataStream.ordered_wait(numbers(1_000), double, LONG, 7).map(lambda x: x + 1)
    second = AsyncDataStream.ordered_wait(first, double, LONG, 3)
    assert values(second.filter(lambda x: x % 3 == 0)) == [
        y for x in range(1, 1_001) if (y := 2 * (2 * x + 1)) % 3 == 0
    ]


def test_async_functions_run_without_chaining_and_in_batch_mode_too() -> None:
    env = StreamExecutionEnvironment.get_execution_environment(
        {"execution.runtime-mode": "BATCH", "pipeline.operator-chaining.enabled": "false"}
    )
    stream = AsyncDataStream.unordered_wait(env.from_sequence(1, 500), double, LONG, 10)
    counts = stream.map(lambda x: (x % 4, 1)).key_by(lambda pair: pair[0]).sum(1)
    assert sorted(values(counts)) == [(0, 250), (2, 250)]


def test_they_run_in_worker_processes() -> None:
    stream = AsyncDataStream.unordered_wait(numbers(1_000, parallelism=2), double, LONG, 50)
    assert sorted(values(stream)) == [2 * x for x in range(1, 1_001)]


def test_sockets_of_coroutines_wake_the_worker() -> None:
    async def ask_a_server(value: int) -> list[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.readline()).upper())
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"number %d\n" % value)
            answer = await reader.readline()
            writer.close()
        return [answer.decode().strip()]

    assert values(AsyncDataStream.ordered_wait(numbers(3), ask_a_server, LONG)) == [
        "NUMBER 1",
        "NUMBER 2",
        "NUMBER 3",
    ]


def test_threads_wake_the_worker() -> None:
    async def in_a_thread(value: int) -> list[bool]:
        return [await asyncio.to_thread(lambda: threading.current_thread() is threading.main_thread())]

    assert values(AsyncDataStream.ordered_wait(numbers(2), in_a_thread, LONG)) == [False, False]


def test_coroutines_run_on_the_thread_of_the_job() -> None:
    async def where(value: int) -> list[bool]:
        return [threading.current_thread() is threading.main_thread()]

    assert values(AsyncDataStream.ordered_wait(numbers(1), where, LONG)) == [True]


# Inside a running event loop --------------------------------------------------------------------------------------------


def test_a_job_started_in_a_coroutine_moves_to_a_thread_of_its_own() -> None:
    async def main() -> tuple[list[int], list[int]]:
        stream, sink = numbers(3), CollectingSink()
        AsyncDataStream.ordered_wait(stream, double, LONG).sink_to(sink)
        stream.get_execution_environment().execute()
        return sink.records, values(AsyncDataStream.ordered_wait(numbers(3), double, LONG))

    assert asyncio.run(main()) == ([2, 4, 6], [2, 4, 6])


def test_a_job_in_a_thread_of_its_own_ends_when_its_rows_are_no_longer_wanted() -> None:
    async def main() -> int:
        with AsyncDataStream.ordered_wait(numbers(10**9), double, LONG).execute_and_collect() as results:
            return next(results)

    before = set(threading.enumerate())
    assert asyncio.run(main()) == 2
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in started)


def test_a_failure_reaches_the_coroutine_that_started_the_job() -> None:
    async def fail(value: int) -> list[int]:
        raise OSError("gone")

    async def main() -> list[Any]:
        return values(AsyncDataStream.ordered_wait(numbers(3), fail, LONG))

    with pytest.raises(JobFailed, match=r"OSError: gone.*the record was 1"):
        asyncio.run(main())


# Time, failure, cancelling ----------------------------------------------------------------------------------------------


def test_in_a_manual_job_coroutines_sleep_by_the_clock_of_the_test() -> None:
    async def sleepy(value: int) -> list[int]:
        await asyncio.sleep(60 * value)
        return [value]

    stream = numbers(3)
    sink = CollectingSink()
    AsyncDataStream.unordered_wait(stream, sleepy, Time.minutes(10)).sink_to(sink)
    job = ManualJob(stream.get_execution_environment())
    job.run_until_idle()
    assert sink.records == []
    job.advance(60_000)
    assert sink.records == [1]
    job.advance(120_000)
    assert sink.records == [1, 2, 3]
    assert job.is_done


async def never(value: int) -> list[int]:
    await asyncio.Event().wait()
    return []


def test_a_timeout_fails_the_job() -> None:
    stream = numbers(3)
    AsyncDataStream.ordered_wait(stream, never, Time.seconds(5)).sink_to(CollectingSink())
    job = ManualJob(stream.get_execution_environment())
    job.run_until_idle()
    job.advance(5_000)
    with pytest.raises(JobFailed, match=r"timed out for input: 1.*\n.*in operator 'async wait operator'"):
        job.result()


def test_cancelling_cancels_the_coroutines() -> None:
    cancelled: list[int] = []

    async def wait(value: int) -> list[int]:
        try:
            return await never(value)
        finally:
            cancelled.append(value)

    stream = numbers(3)
    AsyncDataStream.ordered_wait(stream, wait, LONG).sink_to(CollectingSink())
    job = ManualJob(stream.get_execution_environment())
    job.run_until_idle()
    job.cancel()
    with pytest.raises(JobCancelled):
        job.result()
    assert sorted(cancelled) == [1, 2, 3]


def test_what_fails_is_tried_again() -> None:
    attempts: dict[int, int] = {}

    async def third_time_lucky(value: int) -> list[int]:
        attempts[value] = attempts.get(value, 0) + 1
        if attempts[value] < 3:
            raise ConnectionError("again, please")
        return [value]

    again = AsyncRetryStrategy.exponential_backoff(2, 1, 2, 2.0, empty_result_predicate, lambda error: True)
    stream = AsyncDataStream.ordered_wait_with_retry(numbers(50), third_time_lucky, LONG, again)
    assert values(stream) == list(range(1, 51))
    assert set(attempts.values()) == {3}


# What the user passes ---------------------------------------------------------------------------------------------------


def test_results_are_checked_against_the_declared_type() -> None:
    async def text(value: int) -> list[str]:
        return ["x"]

    with pytest.raises(JobFailed, match="async wait operator"):
        values(AsyncDataStream.ordered_wait(numbers(1), text, LONG, output_type=Types.LONG()))


def test_the_operator_has_flinks_name_and_can_be_renamed() -> None:
    stream = AsyncDataStream.ordered_wait(numbers(1), double, LONG)
    assert stream.get_name() == "async wait operator"
    assert stream.name("ask").get_name() == "ask"


class Blocking(AsyncFunction):
    def async_invoke(self, value: int) -> list[int]:  # type: ignore[override]
        return [value]


class LateAsync(AsyncFunction):
    async def async_invoke(self, value: int) -> list[int]:
        return [value]

    async def timeout(self, value: int) -> list[int]:  # type: ignore[override]
        return [value]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"async_function": lambda value: [value]}, "must be declared as 'async def'"),
        ({"async_function": Blocking()}, "async_invoke of .*Blocking.* must be declared as 'async def'"),
        ({"async_function": LateAsync()}, "declare it without 'async'"),
        ({"async_function": Slow}, r"not the class Slow; write Slow\(\)"),
        ({"capacity": 0}, "capacity must be an integer of at least 1, not 0"),
        ({"timeout": None}, "the timeout: cannot make a duration of None"),
        ({"timeout": Time.seconds(0), "async_retry_strategy": AsyncRetryStrategy.fixed_delay(1, 1, None, None)},
         "trying again needs a timeout"),
        ({"async_retry_strategy": None}, "must be an AsyncRetryStrategy, not None"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused_where_they_are_written(arguments: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "async_function": double, "timeout": LONG, "async_retry_strategy": AsyncRetryStrategy.no_restart(),
    }  # fmt: skip
    with pytest.raises(ProgramError, match=f"{message}.*test_async_data_stream.py"):
        AsyncDataStream.ordered_wait_with_retry(numbers(1), **(given | arguments))


@pytest.mark.parametrize(
    "make",
    [
        lambda: AsyncRetryStrategy.fixed_delay(0, 1, None, None),
        lambda: AsyncRetryStrategy.fixed_delay(1, 0, None, None),
        lambda: AsyncRetryStrategy.exponential_backoff(1, 1, 1, -1.0, None, None),
    ],
)
def test_retry_strategies_want_numbers_above_zero(make: Callable[[], AsyncRetryStrategy]) -> None:
    with pytest.raises(ProgramError, match="must be a number greater than 0"):
        make()


def test_the_backoff_of_many_attempts_does_not_overflow() -> None:
    strategy = AsyncRetryStrategy.exponential_backoff(10**6, 10, 5_000, 2.0, None, None)
    assert strategy.get_backoff_time_millis(10**5) == 5_000


def test_a_program_without_async_functions_does_not_load_asyncio() -> None:
    program = (
        "import sys; from penstock.datastream import AsyncDataStream, StreamExecutionEnvironment as E\n"
        "env = E.get_execution_environment(); env.from_elements(1).print(); env.execute()\n"
        "assert 'asyncio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=120)
