"""A forward between steps of different parallelism is refused."""

from pyflink.common import Types

PARALLELISM = 2
RAISES = "Forward partitioning does not allow change of parallelism"


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return numbers.forward().map(lambda x: x + 1, output_type=Types.INT())
