"""A Partitioner class is told the number of partitions."""

from pyflink.common import Types
from pyflink.datastream import MapFunction
from pyflink.datastream.functions import KeySelector, Partitioner

PARALLELISM = 2
ORDER = "any"


class Last(Partitioner):
    def partition(self, key, num_partitions):
        return num_partitions - 1 if key == "last" else 0


class Word(KeySelector):
    def get_key(self, value):
        return value[0]


class Subtask(MapFunction):
    def open(self, runtime_context):
        self.index = runtime_context.get_index_of_this_subtask()

    def map(self, value):
        return value, self.index


def program(env):
    kind = Types.TUPLE([Types.STRING(), Types.INT()])
    pairs = env.from_collection([("last", 1), ("first", 2), ("last", 3)], type_info=kind)
    return pairs.partition_custom(Last(), Word()).map(Subtask())
