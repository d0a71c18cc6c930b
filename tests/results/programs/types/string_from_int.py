"""A map that declared a string and returns an int."""

from pyflink.common import Types

RAISES = "object has no attribute 'encode'"


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).map(lambda x: x, output_type=Types.STRING())
