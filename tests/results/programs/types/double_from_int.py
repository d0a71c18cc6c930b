"""What a map gives that declared a double and returns an int."""

from pyflink.common import Types


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).map(lambda x: x, output_type=Types.DOUBLE())
