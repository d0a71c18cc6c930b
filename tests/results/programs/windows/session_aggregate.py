"""A session that grows goes on from its accumulator."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import AggregateFunction
from pyflink.datastream.window import EventTimeSessionWindows

ORDER = "any"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Average(AggregateFunction):
    def create_accumulator(self):
        return 0, 0

    def add(self, value, accumulator):
        return accumulator[0] + value[1], accumulator[1] + 1

    def get_result(self, accumulator):
        return accumulator[0] / accumulator[1]

    def merge(self, a, b):
        return a[0] + b[0], a[1] + b[1]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("a", 5), ("a", 9), ("b", 2), ("a", 50)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    sessions = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        EventTimeSessionWindows.with_gap(Time.milliseconds(5))
    )
    return sessions.aggregate(Average())
