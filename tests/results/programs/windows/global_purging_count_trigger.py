"""A purging count trigger fires with the values since the last time only."""

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.window import CountTrigger, GlobalWindows, PurgingTrigger

ORDER = "per_key"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, [v[1] for v in inputs])]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(GlobalWindows.create())
    return windows.trigger(PurgingTrigger.of(CountTrigger.of(2))).apply(Show())
