"""A Row that passes without a declared type keeps the names the user gave."""

from pyflink.common import Row


def program(env):
    return env.from_collection([1, 2]).map(lambda x: Row(id=x, word=str(x)))
