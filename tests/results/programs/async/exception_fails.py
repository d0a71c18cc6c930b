"""An exception of a call fails the job, and its text is in the message."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction

RAISES = "bad value 2"


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        if value == 2:
            raise ValueError(f"bad value {value}")
        return [value]


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(30), output_type=Types.INT())
