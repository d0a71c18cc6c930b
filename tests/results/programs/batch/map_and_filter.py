"""In batch mode steps without keys keep the order of the input."""

from pyflink.common import Types

MODE = "BATCH"


def program(env):
    numbers = env.from_collection(list(range(8)), type_info=Types.INT())
    return numbers.filter(lambda x: x % 2 == 1).map(lambda x: x * x, output_type=Types.INT())
