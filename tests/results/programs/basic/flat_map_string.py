"""A string returned from flat_map is a sequence of its letters."""

from pyflink.common import Types


def program(env):
    return env.from_collection(["ab", "c"], type_info=Types.STRING()).flat_map(
        lambda word: word, output_type=Types.STRING()
    )
