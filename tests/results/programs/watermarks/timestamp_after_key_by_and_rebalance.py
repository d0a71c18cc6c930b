"""Timestamps stay with their values through key_by, rebalance, union and flat_map."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import ProcessFunction

PARALLELISM = 2
ORDER = "any"


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
    split = stamped.rebalance().flat_map(lambda x: [x, -x], output_type=Types.INT())
    return split.union(stamped).key_by(lambda x: x, key_type=Types.INT()).map(str).process(Show())
