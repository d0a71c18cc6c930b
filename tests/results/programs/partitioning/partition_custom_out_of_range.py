"""A partitioner that chooses a partition that does not exist fails the job."""

from pyflink.common import Types

PARALLELISM = 2
SINK = "print"
RAISES = "Index 5"


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    numbers.partition_custom(lambda key, partitions: 5, lambda x: x).print()
