"""The order in which a map state gives the keys that were put into it."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import MapStateDescriptor

ORDER = "any"


class Show(KeyedProcessFunction):
    def open(self, runtime_context):
        self.state = runtime_context.get_map_state(MapStateDescriptor("state", Types.STRING(), Types.INT()))

    def process_element(self, value, ctx):
        self.state.put(value, 1)
        ctx.timer_service().register_event_time_timer(10)

    def on_timer(self, timestamp, ctx):
        yield from self.state.keys()


def program(env):
    words = env.from_collection(["z", "a", "m", "b", "z"], type_info=Types.STRING())
    return words.key_by(lambda w: 0).process(Show(), output_type=Types.STRING())
