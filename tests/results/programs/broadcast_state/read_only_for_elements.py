"""The other stream's values may not change the broadcast state."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

SINK = "collect"
TABLE = MapStateDescriptor("table", Types.INT(), Types.INT())


class Show(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        state = ctx.get_broadcast_state(TABLE)
        yield hasattr(state, "get"), hasattr(state, "put"), hasattr(state, "remove"), hasattr(state, "clear")

    def process_broadcast_element(self, value, ctx):
        pass


def program(env):
    numbers = env.from_collection([1], type_info=Types.INT())
    return numbers.connect(numbers.broadcast(TABLE)).process(Show())
