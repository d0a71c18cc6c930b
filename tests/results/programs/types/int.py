"""The ends of an int."""

from pyflink.common import Types


def program(env):
    return env.from_collection([-(2**31), 2**31 - 1, 0], type_info=Types.INT()).map(
        lambda x: x, output_type=Types.INT()
    )
