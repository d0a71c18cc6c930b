"""A map that declared a tuple and returns a list fails."""

from pyflink.common import Types

RAISES = "Expected tuple, got list"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.map(lambda x: [str(x), x], output_type=Types.TUPLE([Types.STRING(), Types.INT()]))
