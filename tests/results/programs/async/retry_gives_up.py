"""An exception that is left when the attempts are used up fails the job."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction, AsyncRetryStrategy

RAISES = "never"


class Ask(AsyncFunction):
    async def async_invoke(self, value):
        raise ValueError("never")


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    again = AsyncRetryStrategy.fixed_delay(2, 10, None, lambda error: True)
    return AsyncDataStream.ordered_wait_with_retry(numbers, Ask(), Time.seconds(30), again, 10, Types.INT())
