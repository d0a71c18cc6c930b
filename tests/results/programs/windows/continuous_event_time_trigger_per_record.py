"""A continuous trigger fires as the watermark passes its interval."""

from pyflink.common import Time, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream.functions import WindowFunction
from pyflink.datastream.window import ContinuousEventTimeTrigger, TumblingEventTimeWindows

ORDER = "per_key"
WATERMARKS = "per_record"


class Own(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value[1]


class Count(WindowFunction):
    def apply(self, key, window, inputs):
        return [(key, window.start, window.end, len(list(inputs)))]


def program(env):
    pairs = env.from_collection(
        [("a", t) for t in (1, 6, 11, 16, 22, 26, 31, 36, 58)],
        type_info=Types.TUPLE([Types.STRING(), Types.LONG()]),
    )
    stamped = pairs.assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Own())
    )
    windows = stamped.key_by(lambda v: v[0], key_type=Types.STRING()).window(
        TumblingEventTimeWindows.of(Time.milliseconds(20))
    )
    return windows.trigger(ContinuousEventTimeTrigger.of(Time.milliseconds(5))).apply(Count())
