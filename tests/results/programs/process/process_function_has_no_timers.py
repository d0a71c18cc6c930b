"""Registering a timer without a key fails."""

from pyflink.common import Types
from pyflink.datastream import ProcessFunction

RAISES = "Register timers is only supported on a keyed stream."


class Timers(ProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(1)
        yield value


def program(env):
    return env.from_collection([1], type_info=Types.INT()).process(Timers())
