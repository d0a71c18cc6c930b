"""An array of bytes."""

from pyflink.common import Types


def program(env):
    kind = Types.PRIMITIVE_ARRAY(Types.BYTE())
    return env.from_collection([1, 3], type_info=Types.INT()).map(lambda x: bytes([x, 255]), output_type=kind)
