"""An empty collection with a type."""

from pyflink.common import Types

SINK = "returned"


def program(env):
    try:
        with env.from_collection([], type_info=Types.INT()).execute_and_collect() as values:
            return list(values)
    except Exception as error:
        return ["failed", type(error).__name__]
