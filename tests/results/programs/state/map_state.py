"""A map state: put, get, contains, remove, keys, values, items and the operators."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_map_state(MapStateDescriptor("state", Types.STRING(), Types.INT()))

    def process_element(self, value, ctx):
        state = self.state
        yield "empty", state.is_empty(), state.get("a"), state.contains("a"), list(state.keys())
        state.put("a", value)
        state["b"] = value * 2
        state.put("c", 3)
        state.put("d", 4)
        yield "full", state.is_empty(), state.get("a"), state["b"], "c" in state, "x" in state
        state.remove("a")
        del state["d"]
        yield "keys", sorted(state.keys()), sorted(state.values()), sorted(state.items()), sorted(state)
        state.clear()
        yield "cleared", state.is_empty(), sorted(state.items())
        state.put("kept", value)
        yield "kept", sorted(state.items())
        state.remove("kept")


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
