"""A source of a collection refuses a parallelism of two."""

from pyflink.common import Types

RAISES = "The parallelism of non parallel operator must be 1."


def program(env):
    return env.from_collection([1], type_info=Types.INT()).set_parallelism(2)
