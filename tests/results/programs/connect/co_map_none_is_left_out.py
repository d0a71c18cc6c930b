"""A None that a CoMapFunction returns is left out, other than with a map of one stream."""

from pyflink.common import Types
from pyflink.datastream import CoMapFunction

ORDER = "any"


class Both(CoMapFunction):
    def map1(self, value):
        return value if value > 1 else None

    def map2(self, value):
        return value or None


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    others = env.from_collection([0, 10], type_info=Types.INT())
    return numbers.connect(others).map(Both())
