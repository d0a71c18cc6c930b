"""Broadcast values change the state that the other stream's values read; without an order between the streams."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

ORDER = "any"
SEEN = MapStateDescriptor("seen", Types.INT(), Types.BOOLEAN())


class Collect(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        yield "element", value

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(SEEN)
        state.put(value, True)
        yield "broadcast", value, sorted(state.keys())


def program(env):
    words = env.from_collection(["a", "b"], type_info=Types.STRING())
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    return words.connect(numbers.broadcast(SEEN)).process(Collect())
