"""A CoFlatMapFunction may return None instead of something to iterate over, other than a flat_map of one stream."""

from pyflink.common import Types
from pyflink.datastream import CoFlatMapFunction

ORDER = "any"


class Both(CoFlatMapFunction):
    def flat_map1(self, value):
        return [value] if value else None

    def flat_map2(self, value):
        return None


def program(env):
    numbers = env.from_collection([0, 1, 2], type_info=Types.INT())
    return numbers.connect(numbers).flat_map(Both(), output_type=Types.INT())
