"""In batch mode a second keyed step gets the final results of the first."""

from pyflink.common import Types

MODE = "BATCH"
ORDER = "any"


def program(env):
    numbers = env.from_collection(list(range(10)), type_info=Types.INT())
    sums = numbers.key_by(lambda x: x % 3, key_type=Types.INT()).reduce(lambda x, y: x + y)
    return sums.key_by(lambda x: x % 2, key_type=Types.INT()).reduce(lambda x, y: x + y)
