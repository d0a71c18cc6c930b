"""A map that declared an int and returns a float gives the float without its fraction."""

from pyflink.common import Types


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).map(lambda x: x / 2, output_type=Types.INT())
