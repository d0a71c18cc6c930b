"""A strategy without watermarks assigns timestamps only."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Show(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value)
        yield "element", ctx.timestamp(), ctx.timer_service().current_watermark()

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([5, 3], type_info=Types.INT())
    strategy = WatermarkStrategy.no_watermarks().with_timestamp_assigner(Own())
    return numbers.assign_timestamps_and_watermarks(strategy).key_by(lambda x: 0).process(Show())
