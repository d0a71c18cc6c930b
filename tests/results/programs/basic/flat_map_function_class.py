"""A FlatMapFunction's open is called before its flat_map, whose results come in the order of the yields."""

from pyflink.common import Types
from pyflink.datastream import FlatMapFunction


class Pairs(FlatMapFunction):
    def open(self, runtime_context):
        self.previous = None

    def flat_map(self, value):
        if self.previous is not None:
            yield self.previous, value
        self.previous = value


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return numbers.flat_map(Pairs(), output_type=Types.TUPLE([Types.INT(), Types.INT()]))
