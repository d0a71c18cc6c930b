"""A keyed function reads the whole broadcast state when its timer at the end fires."""

from pyflink.common import Types
from pyflink.datastream.functions import KeyedBroadcastProcessFunction
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor

ORDER = "any"
RULES = MapStateDescriptor("rules", Types.STRING(), Types.INT())


class Apply(KeyedBroadcastProcessFunction):
    def open(self, runtime_context):
        self.values = runtime_context.get_list_state(ListStateDescriptor("values", Types.STRING()))

    def process_element(self, value, ctx):
        self.values.add(value)
        ctx.timer_service().register_event_time_timer(100)

    def process_broadcast_element(self, value, ctx):
        ctx.get_broadcast_state(RULES).put(value[0], value[1])

    def on_timer(self, timestamp, ctx):
        rules = ctx.get_broadcast_state(RULES)
        yield ctx.get_current_key(), timestamp, [(value, rules.get(value)) for value in self.values]


def program(env):
    words = env.from_collection(["a", "b", "aa"], type_info=Types.STRING())
    rules = env.from_collection([("a", 1), ("b", 2)], type_info=Types.TUPLE([Types.STRING(), Types.INT()]))
    keyed = words.key_by(len, key_type=Types.INT())
    return keyed.connect(rules.broadcast(RULES)).process(Apply())
