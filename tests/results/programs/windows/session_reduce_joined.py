"""A value in the middle makes one session of two that were reduced apart."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.window import EventTimeSessionWindows

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


def program(env):
    pairs = env.from_collection(
        [("a", 0), ("a", 8), ("a", 4), ("a", 30)], type_info=Types.TUPLE([Types.STRING(), Types.LONG()])
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    sessions = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        EventTimeSessionWindows.with_gap(Time.milliseconds(5))
    )
    return sessions.reduce(lambda x, y: (x[0], x[1] + y[1]))
