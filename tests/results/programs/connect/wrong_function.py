"""Connected streams refuse a function for one stream."""

from pyflink.common import Types
from pyflink.datastream import MapFunction

RAISES = "The input function must be a CoMapFunction!"


class One(MapFunction):
    def map(self, value):
        return value


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return numbers.connect(numbers).map(One())
