"""A map refuses what is neither a MapFunction nor callable."""

from pyflink.common import Types

RAISES = "The input must be a MapFunction or a callable function"


def program(env):
    return env.from_collection([1], type_info=Types.INT()).map(5)
