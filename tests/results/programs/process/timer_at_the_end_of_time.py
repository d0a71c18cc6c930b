"""A timer for the greatest possible time fires at the end of the input."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Last(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(2**63 - 1)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), timestamp, ctx.timer_service().current_watermark()


def program(env):
    return env.from_collection([1], type_info=Types.INT()).key_by(lambda x: x).process(Last())
