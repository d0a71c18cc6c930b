"""Unordered results are the same rows in any order."""

import asyncio

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction

ORDER = "any"


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep((5 - value) / 20)
        return [("asked", value)]


def program(env):
    numbers = env.from_collection([1, 2, 3, 4, 5], type_info=Types.INT())
    pairs = Types.TUPLE([Types.STRING(), Types.INT()])
    return AsyncDataStream.unordered_wait(numbers, Ask(), Time.seconds(30), output_type=pairs)
