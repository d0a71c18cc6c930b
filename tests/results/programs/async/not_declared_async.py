"""An async_invoke that is not declared as async is refused while the program is written."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction

RAISES = "async def"


class Ask(AsyncFunction):
    def async_invoke(self, value):
        return [value]


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return AsyncDataStream.ordered_wait(numbers, Ask(), Time.seconds(30), output_type=Types.INT())
