"""Ordered results keep the order of the records, whichever call ends first; a call may give several results or none."""

import asyncio

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        await asyncio.sleep((5 - value) / 20)
        return [value * 10 + i for i in range(value % 3)]


def program(env):
    numbers = env.from_collection([1, 2, 3, 4, 5], type_info=Types.INT())
    return AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(30), 2, Types.INT())
