"""A sum without a position sums values that are no tuples."""

from pyflink.common import Types


def program(env):
    numbers = env.from_collection([1, 2, 3, 4], type_info=Types.INT())
    return numbers.key_by(lambda x: x % 2, key_type=Types.INT()).sum()
