"""An exception of a key selector fails the job."""

from pyflink.common import Types

RAISES = "KeyError: 2"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.key_by(lambda x: {1: "one"}[x]).reduce(lambda x, y: x + y)
