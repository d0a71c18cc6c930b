"""A reduce function adds into its first argument: each row shows the sum as it was when it was emitted."""

from pyflink.common import Types


def add(a, b):
    a["n"] += b["n"]
    return a


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return numbers.map(lambda n: {"n": n}).key_by(lambda d: 0).reduce(add)
