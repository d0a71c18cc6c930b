"""Sessions over the whole stream."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import ProcessAllWindowFunction
from pyflink.datastream.window import EventTimeSessionWindows


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Show(ProcessAllWindowFunction):
    def process(self, context, elements):
        yield context.window().start, context.window().end, [value[0] for value in elements]


def program(env):
    pairs = env.from_collection(
        [("a", 1), ("b", 4), ("a", 9), ("a", 10), ("b", 23), ("a", 12)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.window_all(EventTimeSessionWindows.with_gap(Time.milliseconds(6)))
    return windows.process(Show())
