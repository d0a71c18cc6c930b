"""Put, get, contains, remove, items and the operators of a broadcast state."""

from pyflink.common import Types
from pyflink.datastream.functions import BroadcastProcessFunction
from pyflink.datastream.state import MapStateDescriptor

TABLE = MapStateDescriptor("table", Types.STRING(), Types.INT())


class Show(BroadcastProcessFunction):
    def process_element(self, value, ctx):
        pass

    def process_broadcast_element(self, value, ctx):
        state = ctx.get_broadcast_state(TABLE)
        yield "before", state.is_empty(), sorted(state.items())
        state.put(value, 1)
        state["b"] = 2
        state.put("c", 3)
        yield "full", state.get(value), state["b"], state.contains("c"), "x" in state, state.get("x")
        state.remove("b")
        del state["c"]
        yield "after", sorted(state.keys()), sorted(state.values()), sorted(state)
        if value == "y":
            state.clear()
            yield "cleared", state.is_empty()


def program(env):
    nothing = env.from_collection([1], type_info=Types.INT())
    words = env.from_collection(["x", "y"], type_info=Types.STRING())
    return nothing.connect(words.broadcast(TABLE)).process(Show())
