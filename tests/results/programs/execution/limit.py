"""A collect with a limit gives a list of the first values."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    return env.from_collection(list(range(10)), type_info=Types.INT()).execute_and_collect(limit=3)
