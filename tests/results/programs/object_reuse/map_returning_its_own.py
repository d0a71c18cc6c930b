"""A map returns one dictionary of its own each time: each row shows it as it was when it was emitted."""

from pyflink.common import Types
from pyflink.datastream import MapFunction


class Count(MapFunction):
    def open(self, runtime_context):
        self.counts = {}

    def map(self, value):
        self.counts[value] = self.counts.get(value, 0) + 1
        return self.counts


def program(env):
    return env.from_collection([1, 2, 1], type_info=Types.INT()).map(Count())
