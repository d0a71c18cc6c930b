"""Async I/O: another system is asked about each record, many at once, and again when it fails.

Run it with ``python examples/async_lookups.py``. It prints::

    book 1 costs 10
    book 2 costs 20
    book 3 costs 30, at attempt 3
    book 4 costs 40
    book 5 has no price: timeout
"""

import asyncio
from collections import Counter
from typing import Any

from penstock.common import Time
from penstock.datastream import AsyncDataStream, AsyncFunction, AsyncRetryStrategy, StreamExecutionEnvironment


class PriceService:
    """Stands for a service in the network: slow, sometimes broken, sometimes silent."""

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()

    async def price(self, book: int) -> int:
        """The price of a book, after a while."""
        self.asked[book] += 1
        if book == 5:
            await asyncio.Event().wait()  # never answers
        await asyncio.sleep(0.01 / book)
        if book == 3 and self.asked[book] < 3:
            raise ConnectionError("the service is busy")
        return book * 10


class LookUp(AsyncFunction[int, str]):
    """Coroutines of one worker run in one event loop, so a client can be shared by all of them."""

    def open(self, runtime_context: Any) -> None:
        """Connect once."""
        self.service = PriceService()

    async def async_invoke(self, value: int) -> list[str]:
        """Called for each record, without waiting for the ones before."""
        price = await self.service.price(value)
        attempts = self.service.asked[value]
        return [f"book {value} costs {price}" + (f", at attempt {attempts}" if attempts > 1 else "")]

    def timeout(self, value: int) -> list[str]:
        """Results for what took too long; without this method the job would fail."""
        return [f"book {value} has no price: timeout"]


def main() -> None:
    """Print the prices, in the order of the books."""
    env = StreamExecutionEnvironment.get_execution_environment()
    again = AsyncRetryStrategy.fixed_delay(
        5, 10, result_predicate=None, exception_predicate=lambda error: isinstance(error, ConnectionError)
    )
    # The timeout is for all attempts together; at most 100 books are asked about at a time.
    prices = AsyncDataStream.ordered_wait_with_retry(
        env.from_collection([1, 2, 3, 4, 5]), LookUp(), Time.seconds(2), again, capacity=100
    )
    prices.print()
    env.execute("prices")


if __name__ == "__main__":
    main()
