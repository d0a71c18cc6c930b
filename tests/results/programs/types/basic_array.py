"""An array of strings, with None in it."""

from pyflink.common import Types


def program(env):
    kind = Types.BASIC_ARRAY(Types.STRING())
    return env.from_collection([1, 2], type_info=Types.INT()).map(lambda x: ["a", str(x)], output_type=kind)
