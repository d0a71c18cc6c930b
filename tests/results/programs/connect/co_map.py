"""A CoMapFunction maps the values of both streams, each with its own method."""

from pyflink.common import Types
from pyflink.datastream import CoMapFunction

ORDER = "any"


class Both(CoMapFunction):
    def map1(self, value):
        return f"number {value}"

    def map2(self, value):
        return f"word {value}"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    words = env.from_collection(["a", "b"], type_info=Types.STRING())
    return numbers.connect(words).map(Both(), output_type=Types.STRING())
