"""A timer for a time before the epoch."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Before(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield "element", value

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp


def program(env):
    return env.from_collection([-5, 0, -7], type_info=Types.INT()).key_by(lambda x: 0).process(Before())
