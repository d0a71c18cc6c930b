"""Two steps with the same uid are refused."""

from pyflink.common import Types

RAISES = "Hash collision on user-specified ID"


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    first = numbers.map(lambda x: x, output_type=Types.INT()).uid("same").disable_chaining()
    return first.key_by(lambda x: x).map(lambda x: x, output_type=Types.INT()).uid("same")
