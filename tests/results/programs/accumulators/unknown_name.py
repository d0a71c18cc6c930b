"""An accumulator that no function has made is None."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    env.from_collection([1, 2], Types.INT()).print()
    return [env.execute().get_accumulator_result("nobody's")]
