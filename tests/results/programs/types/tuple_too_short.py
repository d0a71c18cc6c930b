"""A tuple with fewer values than its declared type."""

from pyflink.common import Types

RAISES = "index out of range"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: (x,), output_type=Types.TUPLE([Types.INT(), Types.STRING()]))
