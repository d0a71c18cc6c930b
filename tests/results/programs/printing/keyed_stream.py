"""A keyed stream prints its values, without the key; the identifier given to it is lost."""

from pyflink.common import Types

SINK = "print"


def program(env):
    env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).print("id")
