"""Results that the predicate refuses are asked for again; when the attempts are used up, the last ones are taken."""

from pyflink.common import Time, Types
from pyflink.datastream import AsyncDataStream, AsyncFunction, AsyncRetryStrategy

ORDER = "any"


class Ask(AsyncFunction):
    def open(self, runtime_context):
        self.attempts = {}

    async def async_invoke(self, value):
        self.attempts[value] = self.attempts.get(value, 0) + 1
        return [(value, self.attempts[value])]


def program(env):
    numbers = env.from_collection([1, 2, 3, 9], type_info=Types.INT())
    again = AsyncRetryStrategy.exponential_backoff(
        2, 10, 100, 2.0, lambda results: results[0][1] < results[0][0], None
    )
    pairs = Types.TUPLE([Types.INT(), Types.INT()])
    return AsyncDataStream.unordered_wait_with_retry(numbers, Ask(), Time.seconds(30), again, 10, pairs)
