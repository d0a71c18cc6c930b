"""Keyed state over a union sees the values of all streams."""

from pyflink.common import Types

ORDER = "any"


def program(env):
    kind = Types.TUPLE([Types.STRING(), Types.INT()])
    first = env.from_collection([("a", 1), ("b", 1)], type_info=kind)
    second = env.from_collection([("a", 1), ("a", 1)], type_info=kind)
    return first.union(second).key_by(lambda p: p[0]).reduce(lambda x, y: (x[0], x[1] + y[1]))
