"""A reduce gives a running result for each value of a key."""

from pyflink.common import Types


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 10), ("a", 2), ("b", 20), ("a", 3)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    return pairs.key_by(lambda p: p[0], key_type=Types.STRING()).reduce(lambda x, y: (x[0], x[1] + y[1]))
