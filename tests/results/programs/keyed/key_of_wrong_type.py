"""A key that is no string although the key type says so."""

from pyflink.common import Types

RAISES = "object has no attribute 'encode'"


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.key_by(lambda x: x, key_type=Types.STRING()).reduce(lambda x, y: x + y)
