"""A job gives the same values without chaining of its steps."""

from pyflink.common import Types


def program(env):
    env.disable_operator_chaining()
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return numbers.map(lambda x: x + 1, output_type=Types.INT()).filter(lambda x: x > 2)
