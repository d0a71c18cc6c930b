"""In batch mode a count window counts the values of a key in the order of their arrival."""

from pyflink.common import Types

MODE = "BATCH"
ORDER = "per_key"


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 2), ("a", 3), ("b", 5), ("a", 6)],
        type_info=Types.TUPLE([Types.STRING(), Types.INT()]),
    )
    return (
        pairs.key_by(lambda p: p[0], key_type=Types.STRING())
        .count_window(2)
        .reduce(lambda x, y: (x[0], x[1] * 10 + y[1]))
    )
