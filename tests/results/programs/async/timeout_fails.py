"""A call that takes too long fails the job where the function has no timeout of its own."""

import asyncio

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction

RAISES = "Async function call has timed out for input: 1"


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep(3600)
        return [value]


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return AsyncDataStream.unordered_wait(numbers, Ask(), Time.milliseconds(500), output_type=Types.INT())
