"""An array of primitive numbers."""

from pyflink.common import Types


def program(env):
    kind = Types.PRIMITIVE_ARRAY(Types.INT())
    return env.from_collection([1, 3], type_info=Types.INT()).map(lambda x: list(range(x)), output_type=kind)
