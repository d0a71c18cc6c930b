"""A timer registered twice for the same key and time fires once; other keys have their own."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction

ORDER = "any"


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(500)

    def on_timer(self, timestamp, ctx):
        yield ctx.get_current_key(), timestamp


def program(env):
    words = env.from_collection(["a", "b", "a", "a"], type_info=Types.STRING())
    return words.key_by(lambda w: w, key_type=Types.STRING()).process(Timers())
