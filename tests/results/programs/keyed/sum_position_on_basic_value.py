"""A position other than zero on a value that is no tuple fails."""

from pyflink.common import Types

RAISES = "field selected on a basic type"


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).sum(1)
