"""The ends of a long."""

from pyflink.common import Types


def program(env):
    return env.from_collection([-(2**63), 2**63 - 1, 0], type_info=Types.LONG()).map(
        lambda x: x, output_type=Types.LONG()
    )
