"""A union of keyed streams is not keyed and has their values."""

from pyflink.common import Types

ORDER = "any"


def program(env):
    first = env.from_collection(["a", "b"], type_info=Types.STRING()).key_by(lambda w: w)
    second = env.from_collection(["c"], type_info=Types.STRING()).key_by(lambda w: w)
    return first.union(second).map(lambda w: w.upper(), output_type=Types.STRING())
