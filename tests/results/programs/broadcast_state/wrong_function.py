"""A keyed function is refused where the stream is not keyed."""

from pyflink.common import Types
from pyflink.datastream.functions import KeyedBroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

RAISES = "KeyedBroadcastProcessFunction should be applied to keyed DataStream"
TABLE = MapStateDescriptor("table", Types.INT(), Types.INT())


class Keyed(KeyedBroadcastProcessFunction):
    def process_element(self, value, ctx):
        pass

    def process_broadcast_element(self, value, ctx):
        pass


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return numbers.connect(numbers.broadcast(TABLE)).process(Keyed())
