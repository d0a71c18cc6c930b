"""A map from strings to numbers."""

from pyflink.common import Types


def program(env):
    kind = Types.MAP(Types.STRING(), Types.INT())
    return env.from_collection([1, 2], type_info=Types.INT()).map(
        lambda x: {"x": x, "y": -x}, output_type=kind
    )
