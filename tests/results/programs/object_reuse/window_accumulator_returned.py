"""An aggregate function returns its accumulator, a list, at each firing of a window that goes on."""

from pyflink.common import Types
from pyflink.datastream import AggregateFunction
from pyflink.datastream.window import CountTrigger, GlobalWindows


class Gather(AggregateFunction):
    def create_accumulator(self):
        return []

    def add(self, value, accumulator):
        accumulator.append(value)
        return accumulator

    def get_result(self, accumulator):
        return accumulator

    def merge(self, a, b):
        return a + b


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    windows = numbers.key_by(lambda x: 0).window(GlobalWindows.create()).trigger(CountTrigger.of(1))
    return windows.aggregate(Gather())
