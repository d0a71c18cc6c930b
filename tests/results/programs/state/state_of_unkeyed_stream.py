"""A function of a stream without keys has no keyed state."""

from pyflink.common import Types
from pyflink.datastream import MapFunction
from pyflink.datastream.state import ValueStateDescriptor

RAISES = "This state is only accessible by functions executed on a KeyedStream."


class Count(MapFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.INT()))

    def map(self, value):
        return value


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).map(Count())
