"""A MapFunction is opened once before the first value and sees the same self for all values."""

from pyflink.common import Types
from pyflink.datastream import MapFunction


class Running(MapFunction):
    def open(self, runtime_context):
        self.total = 100

    def map(self, value):
        self.total += value
        return self.total


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).map(Running(), output_type=Types.INT())
