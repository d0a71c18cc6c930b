"""A plain function given to flat_map that returns None instead of something to iterate over fails."""

from pyflink.common import Types

RAISES = "'NoneType' object is not iterable"


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).flat_map(
        lambda x: [x] if x == 1 else None, output_type=Types.INT()
    )
