"""A Partitioner class is told the number of partitions, and the key that a KeySelector found."""

from pyflink.common import Types
from pyflink.datastream.functions import KeySelector, Partitioner

PARALLELISM = 2
SINK = "print"
ORDER = "any"


class Last(Partitioner):
    def partition(self, key, num_partitions):
        return num_partitions - 1 if key == "last" else 0


class Word(KeySelector):
    def get_key(self, value):
        return value[0]


def program(env):
    kind = Types.TUPLE([Types.STRING(), Types.INT()])
    pairs = env.from_collection([("last", 1), ("first", 2), ("last", 3)], type_info=kind)
    pairs.partition_custom(Last(), Word()).print()
