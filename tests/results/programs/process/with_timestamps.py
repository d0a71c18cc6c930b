"""The timestamp that was assigned is seen by the process function, and passes a map and a filter."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value * 100


class Times(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp(), ctx.timer_service().current_watermark()


def program(env):
    numbers = env.from_collection([3, 1, 2], type_info=Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.map(lambda x: -x, output_type=Types.INT()).filter(lambda x: x != -1).process(Times())
