"""An async function returns one list of its own each time."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction


class Ask(AsyncFunction):
    def __init__(self):
        self.asked = []

    async def async_invoke(self, value):
        self.asked.append(value)
        return [self.asked]


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(30), 1)
