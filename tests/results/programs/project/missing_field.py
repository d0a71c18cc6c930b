"""A projection on a field that does not exist."""

from pyflink.common import Types

RAISES = "Index: 3"


def program(env):
    return env.from_collection([(1,)], type_info=Types.TUPLE([Types.INT()])).project(3)
