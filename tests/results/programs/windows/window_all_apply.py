"""Windows over the whole stream with a window function."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import AllWindowFunction
from pyflink.datastream.window import SlidingEventTimeWindows


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(AllWindowFunction):
    def apply(self, window, inputs):
        yield window.start, [value[0] for value in inputs]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.window_all(SlidingEventTimeWindows.of(Time.milliseconds(10), Time.milliseconds(5)))
    return windows.apply(Show())
