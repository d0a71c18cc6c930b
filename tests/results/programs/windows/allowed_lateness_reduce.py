"""Within the allowed lateness a reduced window goes on from its value."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.window import TumblingEventTimeWindows

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("a", 12), ("a", 2), ("a", 25), ("a", 13), ("a", 4), ("a", 40)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        TumblingEventTimeWindows.of(Time.milliseconds(10))
    )
    return windows.allowed_lateness(15).reduce(lambda x, y: (x[0], x[1] + y[1]))
