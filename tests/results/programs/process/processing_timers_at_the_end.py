"""What becomes of processing-time timers that are not due when a bounded input ends."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction


class Later(KeyedProcessFunction):
    def process_element(self, value, ctx):
        timers = ctx.timer_service()
        timers.register_processing_time_timer(timers.current_processing_time() + 3_600_000)
        yield value

    def on_timer(self, timestamp, ctx):
        yield -1


def program(env):
    return (
        env.from_collection([1, 2], type_info=Types.INT()).key_by(lambda x: x).process(Later(), Types.INT())
    )
