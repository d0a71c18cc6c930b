"""A union has the values of both streams."""

from pyflink.common import Types

ORDER = "any"


def program(env):
    first = env.from_collection([1, 2], type_info=Types.INT())
    second = env.from_collection([3], type_info=Types.INT())
    return first.union(second)
