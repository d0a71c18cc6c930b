"""Anything that can be pickled."""

from pyflink.common import Types


def program(env):
    values = [1, "a", (1, 2), {"k": {1}}, 3 + 4j, b"\x00", range(3)]
    return env.from_collection(values, type_info=Types.PICKLED_BYTE_ARRAY())
