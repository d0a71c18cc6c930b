"""A float has the precision of four bytes, and comes back with the fewest digits that tell it."""

from pyflink.common import Types


def program(env):
    return env.from_collection([0.5, 0.1, 1 / 3, 1e10], type_info=Types.FLOAT()).map(
        lambda x: x, output_type=Types.FLOAT()
    )
