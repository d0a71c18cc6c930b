"""A double keeps every bit, infinity too."""

from pyflink.common import Types


def program(env):
    return env.from_collection([0.1, -0.0, 1e300], type_info=Types.DOUBLE()).map(
        lambda x: x if x < 1e299 else float("inf"), output_type=Types.DOUBLE()
    )
