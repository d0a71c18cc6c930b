"""A union of a stream with itself has every value twice."""

from pyflink.common import Types

ORDER = "any"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.union(numbers)
