"""Whole numbers beyond a long."""

from pyflink.common import Types


def program(env):
    large = env.from_collection([1, -2]).map(lambda x: x * 10**30, output_type=Types.BIG_INT())
    return large.map(lambda x: x + 1, output_type=Types.BIG_INT())
