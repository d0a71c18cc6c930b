"""An exception of a filter fails the job."""

from pyflink.common import Types

RAISES = "ZeroDivisionError: division by zero"


def program(env):
    return env.from_collection([1, 0], type_info=Types.INT()).filter(lambda x: 1 / x > 0)
