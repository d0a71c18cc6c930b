"""A flat_map may return a list, also an empty one."""

from pyflink.common import Types


def program(env):
    words = env.from_collection(["a b", "", "c"], type_info=Types.STRING())
    return words.flat_map(lambda line: line.split(), output_type=Types.STRING())
