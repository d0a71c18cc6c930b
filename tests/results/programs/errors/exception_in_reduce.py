"""An exception of a reduce fails the job."""

from pyflink.common import Types

RAISES = "ArithmeticError: no sum"


def refuse(x, y):
    raise ArithmeticError("no sum")


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).reduce(refuse)
