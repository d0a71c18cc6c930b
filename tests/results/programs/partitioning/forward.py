"""A forward between steps of equal parallelism keeps every value once."""

from pyflink.common import Types

PARALLELISM = 2
ORDER = "any"


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    doubled = numbers.map(lambda x: x * 2, output_type=Types.INT())
    return doubled.forward().map(lambda x: x + 1, output_type=Types.INT())
