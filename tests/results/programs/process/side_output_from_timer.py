"""A timer may give values to a side output."""

from pyflink.common import Types
from pyflink.datastream import KeyedProcessFunction, OutputTag

FIRED = OutputTag("fired", Types.LONG())


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield value

    def on_timer(self, timestamp, ctx):
        yield FIRED, timestamp
        yield -timestamp


def program(env):
    numbers = env.from_collection([2, 1], type_info=Types.LONG())
    main = numbers.key_by(lambda x: 0).process(Timers(), output_type=Types.LONG())
    return [("main", main), ("fired", main.get_side_output(FIRED))]
