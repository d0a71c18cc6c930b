"""A reduce function adds into its first argument; records are in two windows each."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.window import SlidingEventTimeWindows


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value["t"]


def add(a, b):
    a["n"] += b["n"]
    return a


def program(env):
    rows = env.from_collection([1, 2, 3, 4, 5, 6], type_info=Types.INT()).map(lambda n: {"t": n, "n": n})
    strategy = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    keyed = rows.assign_timestamps_and_watermarks(strategy).key_by(lambda d: 0)
    return keyed.window(SlidingEventTimeWindows.of(Time.milliseconds(4), Time.milliseconds(2))).reduce(add)
