"""A broadcast state that was not named in broadcast() may be used all the same."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

TABLE = MapStateDescriptor("table", Types.INT(), Types.INT())
OTHER = MapStateDescriptor("other", Types.INT(), Types.INT())


class Show(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        pass

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(OTHER)
        state.put(value, value * 2)
        yield sorted(state.items())


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    return numbers.connect(numbers.broadcast(TABLE)).process(Show())
