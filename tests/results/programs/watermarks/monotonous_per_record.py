"""The watermark of ascending timestamps is the greatest so far less one millisecond."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Show(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([5, 9, 7, 20, 20, 30], type_info=Types.INT())
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    return numbers.assign_timestamps_and_watermarks(strategy).process(Show())
