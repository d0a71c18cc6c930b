"""Two prints of one stream."""

from pyflink.common import Types

SINK = "print"
ORDER = "any"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    numbers.print("first")
    numbers.map(lambda x: -x, output_type=Types.INT()).print("second")
