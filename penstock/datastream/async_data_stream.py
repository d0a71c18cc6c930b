"""AsyncDataStream: asks other systems about the records of a stream, many at once."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from penstock.contracts.async_functions import (
    NO_RETRY_STRATEGY,
    AsyncFunction,
    AsyncRetryStrategy,
    NoRetryStrategy,
)
from penstock.data.time import Duration, Time
from penstock.datastream.arguments import function_argument, type_argument
from penstock.datastream.program import positive
from penstock.datastream.stream import DataStream
from penstock.errors import ProgramError
from penstock.operators.async_wait import AsyncWaitSpec
from penstock.operators.user_code import origin_of_caller, shorten

AnyAsyncFunction = AsyncFunction[Any, Any] | Callable[[Any], Awaitable[Any]]

DEFAULT_CAPACITY = 100


class AsyncDataStream:
    """Adds an ``AsyncFunction``, or a plain coroutine function that returns a list of results, to a stream.

    All coroutines of a worker run on its one thread, in one asyncio event loop. At most ``capacity`` records of a subtask are
    under way; while there are so many, it takes in no more. ``timeout`` is for all attempts at one record together, 0 for no
    bound; what takes longer is cancelled, and the function's ``timeout`` is asked for results in its place.

    >>> import asyncio
    >>> from penstock.common import Time
    >>> from penstock.datastream import StreamExecutionEnvironment
    >>> env = StreamExecutionEnvironment.get_execution_environment()
    >>> async def ask(number):
    ...     await asyncio.sleep(0.03 / number)
    ...     return [number, number * 10]
    >>> numbers = env.from_collection([1, 2, 3])
    >>> AsyncDataStream.ordered_wait(numbers, ask, Time.seconds(5)).execute_and_collect(limit=6)
    [1, 10, 2, 20, 3, 30]
    """

    @staticmethod
    def ordered_wait(
        data_stream: DataStream,
        async_function: AnyAsyncFunction,
        timeout: Time,
        capacity: int = DEFAULT_CAPACITY,
        output_type: Any = None,
    ) -> DataStream:
        """Results in the order of the records that they are for."""
        return AsyncDataStream.ordered_wait_with_retry(
            data_stream, async_function, timeout, NO_RETRY_STRATEGY, capacity, output_type
        )

    @staticmethod
    def unordered_wait(
        data_stream: DataStream,
        async_function: AnyAsyncFunction,
        timeout: Time,
        capacity: int = DEFAULT_CAPACITY,
        output_type: Any = None,
    ) -> DataStream:
        """Results as they come; none crosses a watermark, so that nothing is late that was not."""
        return AsyncDataStream.unordered_wait_with_retry(
            data_stream, async_function, timeout, NO_RETRY_STRATEGY, capacity, output_type
        )

    @staticmethod
    def ordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AnyAsyncFunction,
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = DEFAULT_CAPACITY,
        output_type: Any = None,
    ) -> DataStream:
        """As ``ordered_wait``; what the strategy says is tried again.

        >>> from penstock.datastream import StreamExecutionEnvironment
        >>> env = StreamExecutionEnvironment.get_execution_environment()
        >>> asked = []
        >>> async def at_second_sight(name):
        ...     asked.append(name)
        ...     return [name] if asked.count(name) == 2 else []
        >>> again = AsyncRetryStrategy.fixed_delay(3, 10, lambda results: not results, None)
        >>> names = env.from_collection(["a", "b"])
        >>> stream = AsyncDataStream.ordered_wait_with_retry(names, at_second_sight, Time.seconds(5), again)
        >>> stream.execute_and_collect(limit=2)
        ['a', 'b']
        """
        spec = _spec(async_function, timeout, capacity, async_retry_strategy, output_type, ordered=True)
        return _added(data_stream, spec)

    @staticmethod
    def unordered_wait_with_retry(
        data_stream: DataStream,
        async_function: AnyAsyncFunction,
        timeout: Time,
        async_retry_strategy: AsyncRetryStrategy[Any],
        capacity: int = DEFAULT_CAPACITY,
        output_type: Any = None,
    ) -> DataStream:
        """As ``unordered_wait``; what the strategy says is tried again."""
        spec = _spec(async_function, timeout, capacity, async_retry_strategy, output_type, ordered=False)
        return _added(data_stream, spec)


def _added(data_stream: DataStream, spec: AsyncWaitSpec) -> DataStream:
    if not isinstance(data_stream, DataStream):
        raise ProgramError(
            f"AsyncDataStream takes a DataStream, not {shorten(data_stream)} ({origin_of_caller()})"
        )
    return data_stream._then("async wait operator", spec, spec.output_type)


def _spec(
    function: Any, timeout: Any, capacity: Any, strategy: Any, output_type: Any, *, ordered: bool
) -> AsyncWaitSpec:
    timeout_ms = _milliseconds(timeout)
    if not isinstance(strategy, AsyncRetryStrategy):
        raise ProgramError(
            f"the retry strategy must be an AsyncRetryStrategy, not {shorten(strategy)} ({origin_of_caller()})"
        )
    if strategy.get_retry_predicate() is None:
        raise ProgramError(
            f"the retry predicate of {type(strategy).__name__} is None; say what is to be tried again ({origin_of_caller()})"
        )
    if strategy is not NO_RETRY_STRATEGY and timeout_ms <= 0:
        raise ProgramError(
            f"trying again needs a timeout, which bounds all attempts together, and it is {timeout_ms} ms "
            f"({origin_of_caller()})"
        )
    return AsyncWaitSpec(
        _checked(function),
        max(timeout_ms, 0),
        positive("capacity", capacity),
        ordered,
        None if isinstance(strategy, NoRetryStrategy) else strategy,
        type_argument(output_type, "output_type"),
    )


def _checked(function: Any) -> Any:
    function = function_argument(function, "async_invoke", AsyncFunction, 1)
    bound = function.async_invoke if hasattr(function, "async_invoke") else function
    if not (iscoroutinefunction(bound) or iscoroutinefunction(getattr(bound, "__call__", None))):  # noqa: B004
        raise ProgramError(
            f"{'async_invoke of ' if bound is not function else ''}{shorten(function)} must be declared as 'async def' "
            f"({origin_of_caller()})"
        )
    if iscoroutinefunction(getattr(function, "timeout", None)):
        raise ProgramError(
            f"timeout of {shorten(function)} must give its results at once: declare it without 'async' "
            f"({origin_of_caller()})"
        )
    return function


def _milliseconds(timeout: Any) -> int:
    try:
        return Duration.of(timeout).to_millis()
    except TypeError as error:
        raise ProgramError(f"the timeout: {error} ({origin_of_caller()})") from None
