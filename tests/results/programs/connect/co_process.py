"""A CoProcessFunction sees the timestamps of both streams' values."""

from pyflink.common import Types
from pyflink.datastream import CoProcessFunction

ORDER = "any"


class Both(CoProcessFunction):
    def process_element1(self, value, ctx):
        yield 1, value, ctx.timestamp()

    def process_element2(self, value, ctx):
        yield 2, value, ctx.timestamp()


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    words = env.from_collection(["a"], type_info=Types.STRING())
    return numbers.connect(words).process(Both())
