"""A key_by on a keyed stream replaces the key."""

from pyflink.common import Types


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 1), ("c", 2)], type_info=Types.TUPLE([Types.STRING(), Types.INT()])
    )
    return pairs.key_by(lambda p: p[0]).key_by(lambda p: p[1]).reduce(lambda x, y: (x[0] + y[0], x[1]))
