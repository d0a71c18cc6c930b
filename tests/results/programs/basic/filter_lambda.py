"""A filter keeps the values for which the function is true."""

from pyflink.common import Types


def program(env):
    return env.from_collection(list(range(10)), type_info=Types.INT()).filter(lambda x: x % 3 == 0)
