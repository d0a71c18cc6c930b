"""In batch mode a timer may register another one, which fires as well."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction

MODE = "BATCH"
ORDER = "per_key"


class Chain(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)

    def on_timer(self, timestamp, ctx):
        if timestamp < 30:
            ctx.timer_service().register_event_time_timer(timestamp + 10)
        yield ctx.get_current_key(), timestamp


def program(env):
    numbers = env.from_collection([10, 15], type_info=Types.INT())
    return numbers.key_by(lambda x: x, key_type=Types.INT()).process(Chain())
