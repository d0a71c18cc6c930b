"""Two keyed streams that are connected share the state of their keys."""

from pyflink.common import Types
from pyflink.datastream import KeyedCoProcessFunction
from pyflink.datastream.state import ValueStateDescriptor

ORDER = "any"


class Sum(KeyedCoProcessFunction):
    def open(self, runtime_context):
        self.sum = runtime_context.get_state(ValueStateDescriptor("sum", Types.INT()))

    def process_element1(self, value, ctx):
        self.sum.update((self.sum.value() or 0) + value)
        ctx.timer_service().register_event_time_timer(1)

    def process_element2(self, value, ctx):
        self.sum.update((self.sum.value() or 0) + 100 * value)
        ctx.timer_service().register_event_time_timer(1)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), self.sum.value()


def program(env):
    left = env.from_collection([1, 2, 3], type_info=Types.INT()).key_by(lambda x: x % 2, key_type=Types.INT())
    right = env.from_collection([4, 5], type_info=Types.INT()).key_by(lambda x: x % 2, key_type=Types.INT())
    return left.connect(right).process(Sum())
