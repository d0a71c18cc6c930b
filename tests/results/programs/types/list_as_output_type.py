"""A list of types given as output type means a row of them, and so a tuple fails."""

from pyflink.common import Types

RAISES = "'tuple' object"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: (x, str(x)), output_type=[Types.INT(), Types.STRING()])
