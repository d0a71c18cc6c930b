"""A map whose result does not fit into the int that it declared fails."""

from pyflink.common import Types

RAISES = "too large"


def program(env):
    return env.from_collection([2**31 - 1], type_info=Types.INT()).map(
        lambda x: x + 1, output_type=Types.INT()
    )
