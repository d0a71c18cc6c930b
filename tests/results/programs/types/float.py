"""A float has the precision of four bytes after it has passed a map."""

from pyflink.common import Types


def program(env):
    return env.from_collection([0.5, 0.1, 1e10], type_info=Types.FLOAT()).map(
        lambda x: x, output_type=Types.FLOAT()
    )
