"""A shuffle loses nothing and doubles nothing."""

from pyflink.common import Types

PARALLELISM = 2
ORDER = "any"


def program(env):
    numbers = env.from_collection(list(range(20)), type_info=Types.INT())
    return numbers.shuffle().map(lambda x: x, output_type=Types.INT())
