"""A broadcast state that was not named in broadcast() is not there."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

RAISES = "other"
TABLE = MapStateDescriptor("table", Types.INT(), Types.INT())
OTHER = MapStateDescriptor("other", Types.INT(), Types.INT())


class Show(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        pass

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(OTHER).put(1, 1)


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return numbers.connect(numbers.broadcast(TABLE)).process(Show())
