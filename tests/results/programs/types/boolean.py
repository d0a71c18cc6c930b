"""True and False."""

from pyflink.common import Types


def program(env):
    return env.from_collection([True, False], type_info=Types.BOOLEAN())
