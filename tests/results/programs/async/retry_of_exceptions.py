"""A fixed-delay strategy with two attempts tries twice more: the third call counts."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction, AsyncRetryStrategy


class Ask(AsyncFunction):
    def open(self, runtime_context):
        self.attempts = {}

    async def async_invoke(self, value):
        self.attempts[value] = self.attempts.get(value, 0) + 1
        if self.attempts[value] < value:
            raise ValueError("not yet")
        return [(value, self.attempts[value])]


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    again = AsyncRetryStrategy.fixed_delay(2, 10, None, lambda error: isinstance(error, ValueError))
    pairs = Types.TUPLE([Types.INT(), Types.INT()])
    return AsyncDataStream.ordered_wait_with_retry(numbers, Ask(), Time.seconds(30), again, 10, pairs)
