"""The running result of a reduce has the timestamp of the value that caused it."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value * 10


class Show(ProcessFunction):
    def process_element(self, value, ctx):
        yield value, ctx.timestamp()


def program(env):
    numbers = env.from_collection([1, 2, 3], type_info=Types.INT())
    stamped = numbers.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    return stamped.key_by(lambda x: 0).reduce(lambda x, y: x + y).process(Show())
