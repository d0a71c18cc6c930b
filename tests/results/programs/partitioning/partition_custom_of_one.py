"""At parallelism one a partitioner has one partition to choose."""

from pyflink.common import Types

SINK = "print"


def program(env):
    numbers = env.from_collection([3, 1, 2], type_info=Types.INT())
    numbers.partition_custom(lambda key, partitions: key % partitions, lambda x: x).print()
