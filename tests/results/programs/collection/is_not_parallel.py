"""A collection is read by one subtask also at parallelism two, and rows come in order when nothing is behind it."""

from pyflink.common import Types

PARALLELISM = 2


def program(env):
    return env.from_collection(list(range(5)), type_info=Types.INT())
