"""A flat_map may be a generator that yields nothing, one or several values."""

from pyflink.common import Types


def repeat(value):
    for i in range(value):
        yield value * 10 + i


def program(env):
    return env.from_collection([0, 1, 3], type_info=Types.INT()).flat_map(repeat, output_type=Types.INT())
