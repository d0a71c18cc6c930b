"""A partitioner of the user's own chooses the subtask: the prefix of each line tells which."""

from pyflink.common import Types

PARALLELISM = 2
SINK = "print"
ORDER = "any"


def program(env):
    numbers = env.from_collection(list(range(8)), type_info=Types.INT())
    numbers.partition_custom(lambda key, partitions: key // 2 % partitions, lambda x: x).print()
