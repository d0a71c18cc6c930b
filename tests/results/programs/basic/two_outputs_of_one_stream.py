"""A stream used twice gives all its values to both."""

from pyflink.common import Types


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return [
        ("plus", numbers.map(lambda x: x + 1, output_type=Types.INT())),
        ("minus", numbers.map(lambda x: -x, output_type=Types.INT())),
    ]
