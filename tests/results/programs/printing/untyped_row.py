"""How a row and None without a declared type are shown."""

from pyflink.common import Row

SINK = "print"


def program(env):
    env.from_collection([1, 2]).map(lambda x: Row(a=x) if x == 1 else None).print()
