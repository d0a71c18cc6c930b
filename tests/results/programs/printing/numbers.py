"""Numbers as lines at parallelism one: no prefix."""

from pyflink.common import Types

SINK = "print"


def program(env):
    env.from_collection([1, -2], type_info=Types.INT()).print()
