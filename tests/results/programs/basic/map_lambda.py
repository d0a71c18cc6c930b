"""A map with a lambda gives one value for each value, in order."""

from pyflink.common import Types


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).map(
        lambda x: x * 10, output_type=Types.INT()
    )
