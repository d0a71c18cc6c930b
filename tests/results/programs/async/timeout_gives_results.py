"""For a call that takes too long the function's timeout gives the results, in the place of the record."""

import asyncio

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        if value == 2:
            await asyncio.sleep(3600)
        return [value]

    def timeout(self, value):
        return [-value, -value]


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(1), output_type=Types.INT())
