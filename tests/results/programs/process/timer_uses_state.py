"""A timer sees the state of its own key."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.state import ListStateDescriptor

ORDER = "any"


class Collect(KeyedProcessFunction):
    def open(self, runtime_context):
        self.values = runtime_context.get_list_state(ListStateDescriptor("values", Types.INT()))

    def process_element(self, value, ctx):
        self.values.add(value)
        ctx.timer_service().register_event_time_timer(100)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), list(self.values.get())


def program(env):
    numbers = env.from_collection([1, 2, 3, 4, 5], type_info=Types.INT())
    return numbers.key_by(lambda x: x % 2, key_type=Types.INT()).process(Collect())
