"""A timer may register the next one; all of them fire with the last watermark."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Chain(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp, ctx):
        if timestamp < 40:
            ctx.timer_service().register_event_time_timer(timestamp + 10)
        yield timestamp


def program(env):
    numbers = env.from_collection([10, 15], type_info=Types.INT())
    return numbers.key_by(lambda x: 0).process(Chain(), output_type=Types.LONG())
