"""Timers of one key fire in the order of their times, not of their registration."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(1000 - value)
        yield "element", value

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.timestamp(), str(ctx.time_domain()), ctx.get_current_key()


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda x: "k", key_type=Types.STRING()).process(Timers())
