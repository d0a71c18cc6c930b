"""A reduce over a key with one value gives that value."""

from pyflink.common import Types


def program(env):
    return env.from_collection([7], type_info=Types.INT()).key_by(lambda x: x).reduce(lambda x, y: x + y)
