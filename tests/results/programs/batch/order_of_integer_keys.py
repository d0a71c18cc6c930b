"""In batch mode: in which order keys of type int are worked on."""

from pyflink.common import Types

MODE = "BATCH"
ORDER = "any"


def program(env):
    numbers = env.from_collection([5, -1, 300, 0, 5, 2, -70000, 256], type_info=Types.INT())
    return numbers.key_by(lambda x: x, key_type=Types.INT()).map(lambda x: x, output_type=Types.INT())
