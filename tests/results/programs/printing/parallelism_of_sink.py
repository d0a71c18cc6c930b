"""A print of parallelism one has no prefix in a job of parallelism two."""

from pyflink.common import Types

SINK = "print"
PARALLELISM = 2
ORDER = "any"


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    numbers.map(lambda x: x, output_type=Types.INT()).print().set_parallelism(1)
