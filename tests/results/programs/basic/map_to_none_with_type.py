"""What a map that returns None gives when the output type is a string."""

from pyflink.common import Types


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).map(
        lambda x: None if x == 2 else str(x), output_type=Types.STRING()
    )
