"""Without a strategy the watermark is the least there is until the end, when timers fire."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Show(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield "element", ctx.timestamp(), ctx.timer_service().current_watermark()

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.timer_service().current_watermark()


def program(env):
    return env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: 0).process(Show())
