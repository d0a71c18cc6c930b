"""The ends of a byte."""

from pyflink.common import Types


def program(env):
    return env.from_collection([1, -2, 0], type_info=Types.BYTE()).map(
        lambda x: x - 126, output_type=Types.BYTE()
    )
