"""With a watermark after each record, timers fire between the records."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Timers(KeyedProcessFunction):
    def process_element(self, value, ctx):
        ctx.timer_service().register_event_time_timer(value + 10)
        yield "element", value, ctx.timer_service().current_watermark()

    def on_timer(self, timestamp, ctx):
        yield "timer", timestamp, ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([0, 5, 11, 12, 40, 20], type_info=Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda x: 0).process(Timers())
