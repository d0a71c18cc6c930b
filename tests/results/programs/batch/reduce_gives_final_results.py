"""In batch mode a reduce gives one value for each key, at the end."""

from pyflink.common import Types

MODE = "BATCH"
ORDER = "any"


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 10), ("a", 2), ("b", 20), ("c", 5)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    return pairs.key_by(lambda p: p[0], key_type=Types.STRING()).reduce(lambda x, y: (x[0], x[1] + y[1]))
