"""A limit greater than the number of values."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).execute_and_collect("named job", 5)
