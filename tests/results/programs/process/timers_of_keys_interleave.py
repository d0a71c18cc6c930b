"""Timers of several keys fire in the order of their times across the keys."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), timestamp


def program(env):
    numbers = env.from_collection([9, 4, 7, 2, 5, 8], type_info=Types.INT())
    return numbers.key_by(lambda x: x % 3, key_type=Types.INT()).process(Timers())
