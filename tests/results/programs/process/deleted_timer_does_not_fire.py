"""A deleted timer does not fire, and deleting one that does not exist does nothing."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        if value > 0:
            timers.register_event_time_timer(value)
        else:
            timers.delete_event_time_timer(-value)

    def on_timer(self, timestamp, ctx):
        yield timestamp


def program(env):
    numbers = env.from_collection([10, 20, 30, -20, -99], type_info=Types.INT())
    return numbers.key_by(lambda x: 0).process(Timers(), output_type=Types.LONG())
