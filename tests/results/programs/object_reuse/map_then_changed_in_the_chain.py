"""A map changes the dictionary that a map before it returns each time; nothing lies between the two."""

from pyflink.common import Types
from pyflink.datastream import MapFunction


class Count(MapFunction):
    def open(self, runtime_context):
        self.counts = {}

    def map(self, value):
        self.counts[value] = self.counts.get(value, 0) + 1
        return self.counts


def mark(counts):
    counts["seen"] = True
    return counts


def program(env):
    return env.from_collection([1, 2, 1], type_info=Types.INT()).map(Count()).map(mark)
