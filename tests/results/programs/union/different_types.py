"""A union of streams of different types is refused."""

from pyflink.common import Types

RAISES = "Cannot union streams of different types"


def program(env):
    return env.from_collection([1], type_info=Types.INT()).union(
        env.from_collection(["a"], type_info=Types.STRING())
    )
