"""An exception of a map fails the job, with its type and text in the message."""

from pyflink.common import Types

RAISES = "ValueError: bad value 2"


def refuse(value):
    if value == 2:
        raise ValueError(f"bad value {value}")
    return value


def program(env):
    return env.from_collection([1, 2, 3], type_info=Types.INT()).map(refuse, output_type=Types.INT())
