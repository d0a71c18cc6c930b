"""A reduce over the running results of another reduce."""

from pyflink.common import Types


def program(env):
    numbers = env.from_collection([1, 2, 3, 4], type_info=Types.INT())
    sums = numbers.key_by(lambda x: x % 2, key_type=Types.INT()).reduce(lambda x, y: x + y)
    return sums.key_by(lambda x: 0, key_type=Types.INT()).reduce(lambda x, y: x + y)
