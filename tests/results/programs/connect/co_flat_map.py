"""A CoFlatMapFunction gives any number of values for those of both streams."""

from pyflink.common import Types
from pyflink.datastream import CoFlatMapFunction

ORDER = "any"


class Both(CoFlatMapFunction):
    def flat_map1(self, value):
        return [value] * value

    def flat_map2(self, value):
        yield from value


def program(env):
    numbers = env.from_collection([0, 1, 2], type_info=Types.INT())
    words = env.from_collection(["ab", ""], type_info=Types.STRING())
    return numbers.connect(words).flat_map(Both())
