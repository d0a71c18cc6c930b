"""A second strategy replaces the watermarks of the first."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Ten(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return record_timestamp * 10


class Show(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(ctx.timestamp())
        yield "element", ctx.timestamp()

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    first = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    second = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Ten())
    stamped = numbers.assign_timestamps_and_watermarks(first).assign_timestamps_and_watermarks(second)
    return stamped.key_by(lambda x: 0).process(Show())
