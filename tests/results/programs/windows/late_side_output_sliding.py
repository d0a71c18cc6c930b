"""A value that is late for one of its sliding windows but not for the other is not late."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import OutputTag
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.window import SlidingEventTimeWindows

WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Count(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.start, window.end, len(list(inputs)))]


def program(env):
    late = OutputTag("late", Types.TUPLE([Types.STRING(), Types.LONG()]))
    pairs = env.from_collection(
        [("a", 1), ("a", 12), ("a", 6), ("a", 7), ("a", 2), ("a", 40)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        SlidingEventTimeWindows.of(Time.milliseconds(10), Time.milliseconds(5))
    )
    counts = windows.side_output_late_data(late).apply(Count())
    return [("counts", counts), ("late", counts.get_side_output(late))]
