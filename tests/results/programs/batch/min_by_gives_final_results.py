"""In batch mode a min_by gives one value for each key."""

from pyflink.common import Types

MODE = "BATCH"
ORDER = "any"


def program(env):
    pairs = env.from_collection(
        [("a", 3), ("b", 10), ("a", 2), ("a", 4)], type_info=Types.TUPLE([Types.STRING(), Types.INT()])
    )
    return pairs.key_by(lambda p: p[0], key_type=Types.STRING()).min_by(1)
