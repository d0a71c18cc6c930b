"""A value given by a timer has the timer's time as its timestamp; one given by a process function keeps its own."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, ProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value + 7)
        yield f"element {value}"

    def on_timer(self, timestamp, ctx):
        yield f"timer {timestamp}"


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def program(env):
    numbers = env.from_collection([1, 2], type_info=Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda x: 0).process(Timers()).process(Times())
