"""An exception of a timer fails the job."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction

RAISES = "RuntimeError: at 5"


class Fails(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(5)

    def on_timer(self, timestamp, ctx):
        raise RuntimeError(f"at {timestamp}")
        yield


def program(env):
    return env.from_collection([1], type_info=Types.INT()).key_by(lambda x: x).process(Fails())
