"""A map that returns a tag and a value gives a tuple: only process functions have side outputs."""

from pyflink.common import Types
from pyflink.datastream import OutputTag

SINK = "returned"
TAG = OutputTag("tag", Types.INT())


def program(env):
    mapped = env.from_collection([1, 2], type_info=Types.INT()).map(lambda x: (TAG, x))
    with mapped.execute_and_collect() as values:
        return [type(value).__name__ for value in values]
